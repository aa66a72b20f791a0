/** The part that the benchmark uses; the package has no types. */
declare module "aes-js" {
	const aesJs: { readonly AES: new (key: Uint8Array) => { encrypt(block: Uint8Array): Uint8Array } };
	export default aesJs;
}
