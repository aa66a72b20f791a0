/** Runs on XS: the kernels' suite over the native kernel and that in plain JavaScript, one line of JSON per case. */
import { JsKernel } from "../../../firmware/kernels/js.js";
import { platform } from "../../../firmware/platform/host/platform.js";
import { agree, kernelCases } from "../../kernels/suite.js";
import cmac from "../../vectors/3gpp/aes_cmac_rfc4493.json";
import annexC from "../../vectors/3gpp/eea2_eia2_ts33401_annexC.json";

const native = platform.kernel;
const js = new JsKernel();

function report(kernel: string, name: string, run: () => void): void {
	let error: string | undefined;
	try {
		run();
	} catch (thrown) {
		error = String(thrown);
	}
	platform.print(JSON.stringify({ kernel, name, error }));
}

for (const kernel of [native, js]) {
	for (const { name, run } of kernelCases(cmac, annexC)) report(kernel.name, name, () => run(kernel));
}
report("both", "agree", () => agree(native, js, 1, 100));
