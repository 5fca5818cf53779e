/** What was found, in words. */
import { quoted } from "../errors/errors.ts";
import type { Denial } from "../model/model.ts";
import type { Fix } from "./spell.ts";

/** More places than a sentence can hold. */
const placesMax = 2;

/** As `layer 1 denies read_file on "/etc/hosts"`. */
export function denialSentence(denials: readonly Denial[]): string {
  const places = new Map<string, { layers: Set<number>; rights: Set<string> }>();
  for (const { layer, right, path, port, gained } of denials) {
    const where = placeOf(path, port, gained);
    const place = places.get(where) ?? { layers: new Set(), rights: new Set() };
    place.layers.add(layer);
    place.rights.add(right);
    places.set(where, place);
  }
  const layers = [...new Set(denials.map(({ layer }) => layer))].sort((a, b) => a - b);
  const list = [...places].map(([where, { rights }]) => `${[...rights].join(", ")}${where}`);
  const shown = list.slice(0, placesMax).join(" and ");
  const rest = list.length - placesMax;
  const more = rest > 0 ? ` and ${rest} more` : "";
  const who =
    layers.length === 1 ? `layer ${layers[0]} denies` : `layers ${layers.join(", ")} deny`;
  return `${who} ${shown}${more}`;
}

function placeOf(
  path: string | undefined,
  port: number | undefined,
  gained: readonly string[] | undefined,
): string {
  if (gained) return `, for what is in ${quoted(path!)} would gain ${gained.join(", ")}`;
  if (path !== undefined) return ` on ${quoted(path)}`;
  return port === undefined ? "" : ` on port ${port}`;
}

/** As `; add roFiles("/etc/hosts")`; where it is not certain, all that may be it. */
export function fixSentence(fixes: readonly Fix[], certain: boolean): string {
  const [first] = fixes;
  if (first === undefined) return "";
  const codes = certain ? [first.code] : fixes.map(({ code }) => code);
  return `; add ${codes.join(" or ")}`;
}
