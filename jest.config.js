export default {
	testEnvironment: "node",
	testMatch: ["<rootDir>/tests/**/*.test.ts"],
	extensionsToTreatAsEsm: [".ts"],
	transform: { "^.+\\.ts$": ["@swc/jest", { jsc: { target: "es2022", parser: { syntax: "typescript" } } }] },
	moduleNameMapper: {
		"^best/platform$": "<rootDir>/firmware/platform/host/platform.ts",
		"^(\\.{1,2}/.*)\\.js$": "$1",
	},
	injectGlobals: false,
	// Many tests start processes, some an emulator: on a busy machine jest's 5 s are too few.
	testTimeout: 60_000,
};
