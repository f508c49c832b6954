import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { brotliCompressSync, constants } from "node:zlib";
import { FluentResource } from "@fluent/bundle";
import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig, type Plugin } from "vite";

const OUT = join(import.meta.dirname, "dist");

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? files(path) : [path];
  });
}

/** Names every file in the service worker, and writes beside each what travels: brotli, as small as it gets. */
function shipped(): Plugin {
  return {
    name: "shipped",
    apply: "build",
    closeBundle() {
      const worker = join(OUT, "service-worker.js");
      const kept = files(OUT).filter((path) => path !== worker && !path.endsWith(".br"));
      const hash = createHash("sha256");
      for (const path of kept) hash.update(path).update(readFileSync(path));
      // The module that reads workbooks is for the few who make forms.
      const names = kept.map((path) => `/${relative(OUT, path)}`).filter((name) => !/\/forms_bg-[^/]*\.wasm$/.test(name)).sort();
      const source = readFileSync(worker, "utf8")
        .replace("__VERSION__", hash.digest("hex").slice(0, 16))
        .replace("__FILES__", JSON.stringify(names));
      writeFileSync(worker, source);
      for (const path of [...kept, worker]) {
        const params = {
          [constants.BROTLI_PARAM_QUALITY]: 11,
          [constants.BROTLI_PARAM_LGWIN]: 22,
          [constants.BROTLI_PARAM_SIZE_HINT]: statSync(path).size,
        };
        writeFileSync(`${path}.br`, brotliCompressSync(readFileSync(path), { params }));
      }
    },
  };
}

/** Message catalogues are taken apart when the app is built: a tablet only reads them in. */
function catalogues(): Plugin {
  return {
    name: "catalogues",
    transform(source, id) {
      if (!id.endsWith(".ftl")) return null;
      const words = JSON.stringify(JSON.stringify(new FluentResource(source)));
      return { code: `export default JSON.parse(${words});`, map: null };
    },
  };
}

/** Which build this is: what it was made of, in short. */
function version(): string {
  const hash = createHash("sha256");
  const modules = ["tablet_bg.wasm", "forms_bg.wasm"].map((name) => join(import.meta.dirname, "core", name));
  for (const path of [...files(join(import.meta.dirname, "src")).sort(), ...modules]) hash.update(readFileSync(path));
  const { version } = JSON.parse(readFileSync(join(import.meta.dirname, "package.json"), "utf8")) as { version: string };
  return `${version}-${hash.digest("hex").slice(0, 8)}`;
}

/** What an officer's page is made of runs soon: a browser that understands this compiles it beside the page,
    on another thread, instead of function by function in the middle of the first drawing. */
function compiledAtOnce(): Plugin {
  return {
    name: "compiled-at-once",
    apply: "build",
    enforce: "post",
    generateBundle: {
      order: "post",
      handler(_, bundle) {
        for (const chunk of Object.values(bundle)) {
          if (chunk.type === "chunk" && !chunk.isDynamicEntry) chunk.code = `//# allFunctionsCalledOnLoad\n${chunk.code}`;
        }
      },
    },
  };
}

// `core` is written by `cargo xtask web`: the WebAssembly module and its JavaScript side.
export default defineConfig({
  plugins: [catalogues(), svelte(), compiledAtOnce(), shipped()],
  define: { __APP_VERSION__: JSON.stringify(version()) },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  worker: { format: "es" },
});
