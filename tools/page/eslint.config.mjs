// The rules for the page's modules, viz/page/*.js: `make lint-page`.

import js from "@eslint/js";

// What the page uses of the browser. A name that is not here is a slip, even if some window has it: `name`, `event`.
const BROWSER = [
  "CSS",
  "URLSearchParams",
  "addEventListener",
  "clearInterval",
  "clearTimeout",
  "document",
  "history",
  "location",
  "matchMedia",
  "requestAnimationFrame",
  "setInterval",
  "setTimeout",
];

// viz/html.py joins the modules to one program: it knows no other import than `import {a, b} from "./c.js";`.
const OTHER_IMPORTS = [
  "ImportDefaultSpecifier",
  "ImportNamespaceSpecifier",
  "ImportExpression",
  "ExportDefaultDeclaration",
  "ExportAllDeclaration",
  "ExportNamedDeclaration[declaration=null]",
  "ExportNamedDeclaration > ClassDeclaration",
];

const LIMITS = {
  complexity: ["error", 12],
  "max-depth": ["error", 3],
  "max-len": ["error", {code: 120}],
  "max-lines": ["error", 300],
  "max-lines-per-function": ["error", 50],
  "max-nested-callbacks": ["error", 3],
  "max-params": ["error", 4],
  "max-statements-per-line": ["error", {max: 1}],
};

const PLAINNESS = {
  "array-callback-return": "error",
  "consistent-return": "error",
  curly: ["error", "multi-line"],
  "dot-notation": "error",
  eqeqeq: ["error", "always", {null: "ignore"}],
  "func-style": ["error", "declaration", {allowArrowFunctions: true}],
  "id-length": ["error", {min: 2, exceptions: ["a", "b", "d", "f", "c", "e", "t", "n", "x", "y"], properties: "never"}],
  "no-else-return": "error",
  "no-implicit-coercion": "error",
  "no-lonely-if": "error",
  "no-multi-assign": "error",
  "no-nested-ternary": "error",
  "no-param-reassign": "error",
  "no-return-assign": "error",
  "no-sequences": "error",
  "no-shadow": "error",
  "no-unneeded-ternary": "error",
  "no-unused-expressions": "error",
  "no-unused-vars": "error",
  "no-use-before-define": ["error", {functions: false}],
  "no-useless-concat": "error",
  "no-useless-return": "error",
  "no-var": "error",
  "object-shorthand": "error",
  "one-var": ["error", "never"],
  "prefer-arrow-callback": "error",
  "prefer-const": "error",
  "prefer-template": "error",
};

export default [
  js.configs.recommended,
  {
    files: ["viz/page/*.js"],
    languageOptions: {
      ecmaVersion: 2022,
      sourceType: "module",
      globals: Object.fromEntries(BROWSER.map(name => [name, "readonly"])),
    },
    linterOptions: {reportUnusedDisableDirectives: "error"},
    rules: {
      ...LIMITS,
      ...PLAINNESS,
      "no-restricted-syntax": ["error", ...OTHER_IMPORTS],
    },
  },
];
