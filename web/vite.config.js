import { defineConfig } from "vite";

// The built files are committed, so that users never need Node. Names carry a hash of their content and may be cached for ever.
export default defineConfig({
  base: "/static/",
  publicDir: false,
  build: {
    outDir: "../api/web/static",
    emptyOutDir: true,
    manifest: "manifest.json",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1500,
    rollupOptions: { input: { main: "src/main.js" } },
  },
});
