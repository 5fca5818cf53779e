/** Which of the rules for all each operation needs. */
import { isWithin } from "../../kernel/names.ts";
import type { Denial } from "../../model/model.ts";
import type { Operation } from "../../model/operation.ts";
import { accessOf, fixOf, type Piece } from "../spell.ts";
import { combined, joinFlags } from "./combine.ts";
import type { Denied } from "./denied.ts";
import type { Trial } from "./trial.ts";

/**
 * The words for each operation: those of one rule where one is enough; none where the rules do not
 * allow it.
 *
 * @param pieces The rules that together allow them; of one path, port or preset each
 */
export function assignWords(
  denied: readonly Denied[],
  sandbox: Trial,
  pieces: readonly Piece[],
): readonly (readonly string[])[] {
  const trials = new Map<Piece, Trial>();
  const trialOf = (piece: Piece) => {
    const trial = trials.get(piece) ?? sandbox.with([piece]);
    trials.set(piece, trial);
    return trial;
  };
  const whole = sandbox.with(pieces);
  return denied.map(({ operation, denials: told }) => {
    const made = pieces.find(
      (piece) =>
        "ifMissing" in piece &&
        piece.ifMissing === "create" &&
        "path" in operation &&
        isWithin(sandbox.files.find(operation.path, true).path, piece.paths[0]!),
    );
    if (made) return fixOf([made]).flags;
    const denials = sandbox.missing(operation);
    if (isGone(operation, sandbox))
      return wordsOf(pieces.filter((piece) => grantsSome(piece, told)));
    if (whole.missing(operation).length > 0) return [];
    const tried = pieces
      .filter((piece) => denials.some((denial) => mayHelp(piece, denial, sandbox)))
      .map((piece) => ({ piece, left: trialOf(piece).missing(operation).length }));
    const enough = tried.find(({ left }) => left === 0);
    if (enough) return fixOf([enough.piece]).flags;
    const helpful = tried.filter(({ left }) => left < denials.length).map(({ piece }) => piece);
    return wordsOf(helpful);
  });
}

function wordsOf(pieces: readonly Piece[]): readonly string[] {
  return joinFlags(combined(pieces).map((piece) => fixOf([piece]).flags));
}

/** Whether nothing can be tried any more: the command has removed what it could not move. */
function isGone(operation: Operation, { files }: Trial): boolean {
  if (operation.kind !== "rename" && operation.kind !== "link") return false;
  return files.find(operation.path, false).file === undefined;
}

/** Whether a rule grants a right that was denied. */
function grantsSome(piece: Piece, denials: readonly Denial[]): boolean {
  if (!("paths" in piece)) return false;
  const access: readonly string[] = accessOf(piece);
  return denials.some(
    ({ right, path }) =>
      path !== undefined && access.includes(right) && isWithin(path, piece.paths[0]!),
  );
}

/** Whether a rule is about what was denied; presets are about many things. */
function mayHelp(piece: Piece, { path, port }: Denial, { files }: Trial): boolean {
  if (piece.kind === "preset") return true;
  if (piece.kind === "port") return piece.ports[0] === port;
  return path !== undefined && isWithin(path, files.find(piece.paths[0]!, true).path);
}
