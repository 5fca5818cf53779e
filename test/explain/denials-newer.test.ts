/** The same for denials that only the newest kernels have; these run in guests. */
import { testRows } from "./denials.ts";
import { newerRows } from "./rows-network.ts";

testRows(newerRows);
