/** Which of the rules for all each operation needs. */
import type { Denial } from "../../model/model.ts";
import { fixOf, type Piece } from "../spell.ts";
import { ancestorsOf, combined, joinFlags } from "./combine.ts";
import type { Denied } from "./denied.ts";
import type { Trial } from "./trial.ts";

/**
 * The words for each operation: those of one rule where one is enough.
 *
 * @param pieces The rules that together allow all of them; of one path or port each
 */
export function assignWords(
  denied: readonly Denied[],
  sandbox: Trial,
  pieces: readonly Piece[],
): readonly (readonly string[])[] {
  const places = Map.groupBy(pieces, (piece) => placeKey(piece, sandbox));
  const trials = new Map<Piece, Trial>();
  const trialOf = (piece: Piece) => {
    const trial = trials.get(piece) ?? sandbox.with([piece]);
    trials.set(piece, trial);
    return trial;
  };
  return denied.map(({ operation }) => {
    const denials = sandbox.missing(operation);
    const about = [...new Set(["preset", ...denials.flatMap(keysOf)])];
    const tried = about
      .flatMap((key) => places.get(key) ?? [])
      .map((piece) => ({ piece, left: trialOf(piece).missing(operation).length }));
    const enough = tried.find(({ left }) => left === 0);
    if (enough) return fixOf([enough.piece]).flags;
    const helpful = tried.filter(({ left }) => left < denials.length).map(({ piece }) => piece);
    return joinFlags(combined(helpful).map((piece) => fixOf([piece]).flags));
  });
}

/** What a rule is about; presets are about many things. */
function placeKey(piece: Piece, { files }: Trial): string {
  if (piece.kind === "preset") return "preset";
  return piece.kind === "port" ? `port ${piece.ports[0]}` : files.find(piece.paths[0]!, true).path;
}

/** What a rule that helps is about. */
function keysOf({ path, port }: Denial): readonly string[] {
  return path === undefined ? [`port ${port}`] : [...ancestorsOf(path)];
}
