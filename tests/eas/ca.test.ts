import { X509Certificate } from "node:crypto";
import { expect, test } from "@jest/globals";
import { TestAuthority } from "../../host-tools/ca/ca.js";

test("the test authority says what it is for, and its certificates name whom they are for", async () => {
	const authority = await TestAuthority.create(2);
	const root = new X509Certificate(authority.certificate);
	expect(root.ca).toBe(true);
	expect(root.subject).toContain("never for production");
	const hosts = ["localhost", "127.0.0.1", "::1", "2001:db8::a:b"];
	const issued = await authority.issue("meter.demo", hosts);
	const certificate = new X509Certificate(issued.certificate);
	expect(certificate.ca).toBe(false);
	expect(certificate.verify(root.publicKey)).toBe(true);
	expect(certificate.checkIssued(root)).toBe(true);
	expect(certificate.checkPrivateKey((await import("node:crypto")).createPrivateKey(issued.key))).toBe(true);
	for (const name of ["meter.demo", "localhost"]) expect(certificate.checkHost(name)).toBe(name);
	for (const address of hosts.slice(1)) expect(certificate.checkIP(address)).toBe(address);
	expect(certificate.checkIP("127.0.0.2")).toBeUndefined();
	const days = (Date.parse(certificate.validTo) - Date.now()) / 86_400_000;
	expect(days).toBeGreaterThan(1.9);
	expect(days).toBeLessThanOrEqual(2);
	// An EAS Id that is no name of the DNS stands in the common name only.
	expect(new X509Certificate((await authority.issue("Zähler 1")).certificate).subject).toContain("CN=");
});
