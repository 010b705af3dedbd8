const js = require("@eslint/js");

// The pages' scripts share one global scope, so that names are checked by TypeScript.
module.exports = [
  js.configs.recommended,
  {
    files: ["pipeline/**/*.js"],
    languageOptions: { ecmaVersion: 2022, sourceType: "script" },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "no-undef": "off",
      "no-unused-vars": ["error", { vars: "local" }],
      eqeqeq: "error",
      "no-var": "error",
      "prefer-const": ["error", { destructuring: "all" }],
      "no-eval": "error",
      "no-implied-eval": "error",
      "max-len": ["error", { code: 130 }],
    },
  },
];
