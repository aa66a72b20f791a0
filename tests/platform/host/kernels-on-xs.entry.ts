/** Runs on XS: the suites over the native kernel, that in plain JavaScript, and SNOW 3G and ZUC; one line of JSON per case. */
import { withAllAlgorithms } from "../../../firmware/algorithms/all.js";
import { JsKernel } from "../../../firmware/kernels/js.js";
import { platform } from "../../../firmware/platform/host/platform.js";
import { pairCases, vectorCases, vectorsOfKernel } from "../../algorithms/suite.js";
import { agree, kernelCases } from "../../kernels/suite.js";
import cmac from "../../vectors/3gpp/aes_cmac_rfc4493.json";
import algorithms from "../../vectors/3gpp/eea1_eia1_eea3_eia3.json";
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
const all = withAllAlgorithms(native);
for (const { name, run } of [...vectorCases(algorithms), ...vectorsOfKernel(all, algorithms), ...pairCases(all)])
	report(all.name, name, run);
report("both", "agree", () => agree(native, js, 1, 100));
