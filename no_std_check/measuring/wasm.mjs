// Runs a WebAssembly module of this firmware: node wasm.mjs MODULE
import { readFileSync } from "node:fs";

const bytes = readFileSync(process.argv[2]);
let memory;
const write = (line, len) => process.stdout.write(Buffer.from(memory.buffer, line, len));
const { instance } = await WebAssembly.instantiate(bytes, { board: { write } });
memory = instance.exports.memory;
process.exitCode = instance.exports.run();
