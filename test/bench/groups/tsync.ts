import type { Group } from "../results.ts";
export async function tsync(): Promise<Group[]> {
  return [];
}
