import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { mayNotify } from "../../host-tools/northbound/application-server.js";
import { Webhooks } from "../../host-tools/northbound/webhook.js";
import { METERS } from "./world.js";

/** Milliseconds. */
const PATIENCE = 300;

let server: Server;
let webhooks: Webhooks;
let root: string;
let asked: string[];
/** Resolves when the receiver's connection of `/endless` has been closed. */
let endlessClosed: Promise<unknown> | undefined;

beforeEach(async () => {
	asked = [];
	webhooks = new Webhooks({}, PATIENCE);
	server = createServer((request, reply) => {
		asked.push(`${request.method} ${request.url} ${request.headers["content-type"]}`);
		if (request.url === "/broken") request.socket.destroy();
		else if (request.url === "/silent") return;
		else if (request.url === "/dripping") {
			// A field now and then: it is never silent for long, and never ends.
			request.socket.write("HTTP/1.1 200 OK\r\n");
			const timer = setInterval(() => request.socket.write("X: y\r\n"), PATIENCE / 10);
			request.socket.on("close", () => clearInterval(timer));
		} else if (request.url === "/endless") {
			reply.writeHead(200);
			endlessClosed = new Promise((resolve) => request.socket.on("close", resolve));
			const more = () => {
				while (!reply.destroyed && reply.write(Buffer.alloc(16_384)));
			};
			reply.on("drain", more);
			more();
		} else reply.writeHead(Number(request.url?.slice(1)), { Location: "/200" }).end("{}");
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

test("a receiver that never answers, or never comes to the end of its answer's header, is given up", async () => {
	for (const path of ["silent", "dripping"]) {
		const begun = performance.now();
		expect([path, await webhooks.post(`${root}/${path}`, "{}")]).toEqual([path, false]);
		expect(performance.now() - begun).toBeLessThan(10 * PATIENCE);
	}
});

test("an answer without end is taken, and not read to the end", async () => {
	// So long that the time alone would not end it.
	const patient = new Webhooks({}, 60_000);
	expect(await patient.post(`${root}/endless`, "{}")).toBe(true);
	await endlessClosed;
	patient.close();
});

test("closed, it waits for nobody", async () => {
	const patient = new Webhooks({}, 60_000);
	// More than there are connections to one receiver.
	const posts = Array.from({ length: 70 }, () => patient.post(`${root}/silent`, "{}"));
	while (asked.length < 64) await new Promise((resolve) => setTimeout(resolve, 10));
	patient.close();
	expect(new Set(await Promise.all(posts))).toEqual(new Set([false]));
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
