import type { Kernel } from "../kernels/kernel.js";
import { ComposedKernel } from "./composed-kernel.js";
import { snow3g } from "./snow3g.js";
import { zuc } from "./zuc.js";

/** SNOW 3G and ZUC beside the AES of a kernel. */
export function withAllAlgorithms(aes: Kernel): Kernel {
	return new ComposedKernel(aes, [snow3g(), zuc()]);
}
