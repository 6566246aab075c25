import { defineConfig } from "vite";

// GEMEL: address of a running `gemel serve` for `npx vite` during development.
const server = process.env["GEMEL"] ?? "http://127.0.0.1:8080";

export default defineConfig({
  base: "./",
  esbuild: { jsx: "automatic", jsxImportSource: "preact", legalComments: "none" },
  build: { target: "es2020", assetsInlineLimit: 0, reportCompressedSize: false, modulePreload: { polyfill: false } },
  server: { proxy: Object.fromEntries(["/v1", "/digitaltwins", "/models", "/query"].map((p) => [p, server])) },
});
