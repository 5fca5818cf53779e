/** `explain()` proposes rules that work and open nothing else, on real denials of every kind. */
import { expect, test } from "bun:test";
import { testRows } from "./denials.ts";
import { fileRows } from "./rows-files.ts";
import { networkRows } from "./rows-network.ts";
import { childRows, programRows } from "./rows-programs.ts";

const rows = { ...fileRows, ...networkRows, ...programRows, ...childRows };

testRows(rows);

test("there are enough of them", () => expect(Object.keys(rows).length).toBeGreaterThan(50));
