/** A sandbox to try rules out on, in the model: nothing is restricted. */
import type { Layer } from "../../model/layer.ts";
import type { Denial } from "../../model/model.ts";
import type { Operation } from "../../model/operation.ts";
import type { Files, Place } from "../../model/place.ts";
import { denialsOf, withRule, type Sandbox } from "../remedy.ts";
import { fixOf, type Piece } from "../spell.ts";
import type { Rule } from "../../sandbox/rules.ts";
import { stepsOf } from "./steps.ts";

/** The layers of a sandbox, and what they would be with more rules. */
export class Trial {
  readonly #sandbox: Sandbox;
  readonly #rules = new Map<Piece, Rule | undefined>();

  /** @param sandbox Its files are looked up once each: a trial asks for the same again and again */
  constructor(sandbox: Sandbox) {
    this.#sandbox = { ...sandbox, files: remembered(sandbox.files) };
  }

  /** Where its paths are looked up. */
  get files(): Files {
    return this.#sandbox.files;
  }

  /** Rights that the sandbox denies unless they are granted. */
  get handled(): Pick<Layer["handled"], "fs" | "net"> {
    const all = this.#sandbox.layers.map((layer) => layer.handled);
    return { fs: all.flatMap(({ fs }) => fs), net: all.flatMap(({ net }) => net) };
  }

  /** The same sandbox with these rules. */
  with(pieces: readonly Piece[]): Trial {
    const sandbox = pieces.reduce((all, piece) => {
      const rule = this.#ruleOf(piece);
      return rule === undefined ? all : withRule(all, rule);
    }, this.#sandbox);
    const next = new Trial(sandbox);
    for (const [piece, rule] of this.#rules) next.#rules.set(piece, rule);
    return next;
  }

  /** What is denied of an operation. */
  missing(operation: Operation): readonly Denial[] {
    return denialsOf(stepsOf(operation), this.#sandbox);
  }

  /** Presets read files to make theirs. */
  #ruleOf(piece: Piece): Rule | undefined {
    if (!this.#rules.has(piece)) this.#rules.set(piece, fixOf([piece]).rule);
    return this.#rules.get(piece);
  }
}

function remembered(files: Files): Files {
  const known = new Map<string, Place>();
  return {
    find(path, follow) {
      const key = `${follow} ${path}`;
      const place = known.get(key) ?? files.find(path, follow);
      known.set(key, place);
      return place;
    },
  };
}
