// Runs the golden vectors as WebAssembly: node run.mjs vectors.wasm
// The module's imports (random numbers, for an Automerge actor nobody uses) answer with zeros, so
// that what is checked is the arithmetic alone.
import { readFile } from 'node:fs/promises';

const module = await WebAssembly.compile(await readFile(process.argv[2]));
const imports = {};
for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
  imports[from] ??= {};
  imports[from][name] = kind === 'function' ? () => 0 : undefined;
}
const { exports } = await WebAssembly.instantiate(module, imports);
const code = exports.main(0, 0);
if (code !== 0) {
  throw new Error(`the vectors ended with ${code}`);
}
console.log('golden vectors: the same in WebAssembly');
