// Tries the operations of an OpenAPI document.
import { element } from "./element.js";

const byId = (id) => document.getElementById(id);
let token = "";

byId("token").addEventListener("click", async () => {
	const answer = await fetch("/oauth2/token", {
		method: "POST",
		headers: { "Content-Type": "application/x-www-form-urlencoded" },
		body: new URLSearchParams({
			grant_type: "client_credentials",
			client_id: byId("client").value,
			client_secret: byId("secret").value,
		}),
	});
	const { access_token, expires_in, error_description } = await answer.json();
	token = access_token ?? "";
	byId("access").textContent = answer.ok ? `Token for ${expires_in} s.` : (error_description ?? "No token.");
});

const definition = await (await fetch("openapi.json")).json();
byId("title").textContent = definition.info.title;
byId("about").textContent = definition.info.description;

function resolved(schema) {
	if (schema?.$ref === undefined) return schema;
	return schema.$ref
		.split("/")
		.slice(1)
		.reduce((value, part) => value[part], definition);
}

function choose(path, method, operation) {
	const inputs = operation.parameters.map((parameter) => {
		const input = element("input", { autocomplete: "off", "data-in": parameter.in, "data-name": parameter.name });
		if (parameter.name === "scsAsId") input.value = byId("client").value;
		const about = element("span", { class: "quiet" }, parameter.description);
		return element("label", {}, `${parameter.name} `, about, input);
	});
	const content = Object.entries(operation.requestBody?.content ?? {})[0];
	const body = content && element("textarea", { "aria-label": "Body" });
	if (body) body.value = JSON.stringify(resolved(content[1].schema).examples?.[0] ?? {}, undefined, "\t");
	const send = element("button", { type: "button" }, "Send");
	send.addEventListener("click", () => ask(path, method, inputs, body, content?.[0]));
	byId("operation-title").textContent = `${method.toUpperCase()} ${path}`;
	const words = [element("p", {}, operation.summary), element("p", { class: "quiet" }, operation.description)];
	byId("operation").replaceChildren(...words, ...inputs, ...(body ? [body] : []), send);
	byId("operation-title").focus();
}

async function ask(path, method, labels, body, type) {
	const query = new URLSearchParams();
	const headers = token === "" ? {} : { Authorization: `Bearer ${token}` };
	let uri = definition.servers[0].url + path;
	for (const input of labels.map((label) => label.querySelector("input"))) {
		const { in: place, name } = input.dataset;
		if (place === "path") uri = uri.replace(`{${name}}`, encodeURIComponent(input.value));
		else if (input.value !== "" && place === "query") query.set(name, input.value);
		else if (input.value !== "") headers[name] = input.value;
	}
	if (body) headers["Content-Type"] = type;
	const answer = await fetch(query.size > 0 ? `${uri}?${query}` : uri, {
		method: method.toUpperCase(),
		headers,
		...(body && { body: body.value }),
	});
	const text = await answer.text();
	const location = answer.headers.get("location");
	byId("answer").textContent = [
		`${answer.status} ${answer.statusText}`,
		location && `Location: ${location}`,
		indented(text),
	]
		.filter(Boolean)
		.join("\n");
}

function indented(text) {
	try {
		return JSON.stringify(JSON.parse(text), undefined, "  ");
	} catch {
		return text;
	}
}

for (const [path, methods] of Object.entries(definition.paths))
	for (const [method, operation] of Object.entries(methods)) {
		const button = element(
			"button",
			{ class: "row", type: "button" },
			element("strong", {}, operation.operationId),
			element("br"),
			element("span", { class: "quiet" }, operation.summary),
		);
		button.addEventListener("click", () => choose(path, method, operation));
		byId("operations").append(element("li", {}, button));
	}
