import { NativeKernel } from "../../kernels/native.js";

const name: () => string = native("xs_best_kernel_name");
const keySetOctets: () => number = native("xs_best_kernel_key_set_octets");

/** The kernels as C, linked into the firmware (kernel.c). A function of the engine is bound where its name is written. */
export const kernel = new NativeKernel({
	name: name(),
	keySetOctets: keySetOctets(),
	setKeys: native("xs_best_kernel_set_keys"),
	protect: native("xs_best_kernel_protect"),
	unprotect: native("xs_best_kernel_unprotect"),
	encryptBlocks: native("xs_best_kernel_encrypt_blocks"),
	ctr: native("xs_best_kernel_ctr"),
	cmac: native("xs_best_kernel_cmac"),
	erase: native("xs_best_kernel_erase"),
});
