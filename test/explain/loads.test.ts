/** `explain()` proposes working, minimal rules for files that Bun loads itself. */
import { testRows } from "./denials.ts";
import { loadRows } from "./rows-loads.ts";

testRows(loadRows);
