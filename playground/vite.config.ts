import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

/** Stable file names: what is built from the same sources is the same bytes, and CI compares it with what is committed. */
export default defineConfig({
  base: "./",
  plugins: [svelte()],
  server: { proxy: { "/socket": { target: "ws://127.0.0.1:8765", ws: true } } },
  build: {
    outDir: "../src/rosenblatt/playground_page/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    license: { fileName: "assets/licenses.md" },
    modulePreload: { polyfill: false },
    rollupOptions: {
      output: {
        entryFileNames: "assets/playground.js",
        chunkFileNames: "assets/[name].js",
        assetFileNames: "assets/playground[extname]",
      },
    },
  },
  test: { include: ["tests/unit/**/*.test.ts"], environment: "node" },
});
