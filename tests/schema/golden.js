// golden.js GENERATED [MESSAGES]: imports all that protoc-gen-es generated, finds no name with an escape, and reads and
// writes each golden message of MESSAGES (tests/golden/messages.txt), as bytes and as JSON.
import { readFileSync, readdirSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { fromBinary, fromJson, toBinary, toJson } from "@bufbuild/protobuf";

const ROOTS = {
  command: "CommandBatch", reply: "ServerBatch", event: "ServerBatch", server_batch: "ServerBatch",
  publication: "Publication", subscription: "Publication", greeting_request: "GreetingRequest",
  greeting: "Greeting", peer: "PeerBatch",
};
const PLAIN = /^[A-Za-z][A-Za-z0-9]*$/;
const wrong = [];

/** All exports of the generated modules, by name. */
async function load(folder) {
  const modules = readdirSync(folder).filter((name) => name.endsWith(".js"));
  const loaded = await Promise.all(modules.map((name) => import(pathToFileURL(`${folder}/${name}`))));
  return Object.assign({}, ...loaded);
}

function checkName(told, name) {
  if (!PLAIN.test(name)) wrong.push(`${told} is ${name}`);
}

function checkNames(exported) {
  for (const [name, item] of Object.entries(exported)) {
    if (item.kind === "file") continue;
    checkName(name, name);
    for (const member of item.members ?? []) checkName(`${item.name}.${member.name}`, member.localName);
  }
}

function checkGolden(exported, name, hex) {
  const kind = exported[`${ROOTS[name.split(/[.@]/)[0]]}Schema`];
  const message = fromBinary(kind, Buffer.from(hex, "hex"));
  const again = fromJson(kind, toJson(kind, message));
  for (const [how, read] of [["bytes", message], ["JSON", again]]) {
    const packed = Buffer.from(toBinary(kind, read)).toString("hex");
    if (packed !== hex) wrong.push(`${name}, read from ${how}, packs to ${packed}`);
  }
}

const [folder, messages] = process.argv.slice(2);
const exported = await load(folder);
checkNames(exported);
const entries = messages ? [...readFileSync(messages, "utf8").matchAll(/^name (.+)\nbytes ?(.*)$/gm)] : [];
for (const [, name, hex] of entries) checkGolden(exported, name, hex);
console.log(wrong.length ? wrong.join("\n") : `${entries.length} golden messages mean the same`);
process.exitCode = wrong.length ? 1 : 0;
