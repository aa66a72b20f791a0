// The module `best/target` of manifest_best.json; see best-platform.ts.
export { target } from "best/platform/moddable/target";
