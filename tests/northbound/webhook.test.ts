import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { mayNotify } from "../../host-tools/northbound/application-server.js";
import { Webhooks } from "../../host-tools/northbound/webhook.js";
import { METERS } from "./world.js";

let server: Server;
let webhooks: Webhooks;
let root: string;
let asked: string[];

beforeEach(async () => {
	asked = [];
	webhooks = new Webhooks();
	server = createServer((request, reply) => {
		asked.push(`${request.method} ${request.url} ${request.headers["content-type"]}`);
		if (request.url === "/broken") request.socket.destroy();
		else reply.writeHead(Number(request.url?.slice(1)), { Location: "/200" }).end("{}");
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
	webhooks.close();
	await new Promise((resolve) => server.close(resolve));
});

test("a notification is taken by 200 and 204, and by nothing else", async () => {
	for (const status of [200, 204]) expect(await webhooks.post(`${root}/${status}`, "{}")).toBe(true);
	for (const status of [201, 202, 301, 307, 308, 400, 404, 410, 500])
		expect([status, await webhooks.post(`${root}/${status}`, "{}")]).toEqual([status, false]);
	// No redirection was followed.
	expect(asked).toHaveLength(11);
	expect(asked[0]).toBe("POST /200 application/json");
});

test("what cannot be reached, breaks off, or is no URI, is not taken", async () => {
	expect(await webhooks.post(`${root}/broken`, "{}")).toBe(false);
	expect(await webhooks.post("http://127.0.0.1:1/", "{}")).toBe(false);
	expect(await webhooks.post("nonsense", "{}")).toBe(false);
	expect(await webhooks.post("https://127.0.0.1:1/", "{}")).toBe(false);
});

test("origins that were agreed, and no others", () => {
	const may = (destination: string) => mayNotify(METERS, destination);
	expect(may("https://as.example/any/path")).toBe(true);
	for (const destination of [
		"http://as.example/",
		"https://as.example:8443/",
		"https://as.example.evil/",
		"https://evil@as.example/",
		"https://as.example@evil/",
		"file:///etc/passwd",
		"",
	])
		expect([destination, may(destination)]).toEqual([destination, false]);
	expect(mayNotify({ ...METERS, notificationOrigins: ["*"] }, "ftp://as.example/")).toBe(false);
});
