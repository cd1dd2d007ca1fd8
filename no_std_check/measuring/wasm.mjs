// Runs a WebAssembly module of this firmware: node wasm.mjs MODULE
import { readFileSync } from "node:fs";

const bytes = readFileSync(process.argv[2]);
let exported;
const write = (line, len) => process.stdout.write(Buffer.from(exported.memory.buffer, line, len));
// A copy of counting.py exports how many instructions it executed; others do not know.
const executed = () => exported.executed?.value ?? -1n;
const { instance } = await WebAssembly.instantiate(bytes, { board: { write, executed } });
exported = instance.exports;
process.exitCode = exported.run();
