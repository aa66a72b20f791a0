// The module `best/platform` of manifest.json. It names the platform by its own module's name: what a module imports
// with "./" and "../" is looked for beside the name that the manifest gives it.
export { platform } from "best/platform/moddable/platform";
