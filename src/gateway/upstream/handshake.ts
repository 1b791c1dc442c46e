import { detached } from '../../json/detached.ts';
import { asJsonObject, isJsonObject, type JsonObject } from '../../json/json.ts';
import type { Handshake } from './model.ts';

/*
 * What is kept of a target's handshake. Every session with the target keeps its own, for as long as it lasts, and the
 * message may be as large as any answer.
 */

/** Characters of the instructions: a page of text. */
const maxInstructions = 8 * 1024;

/**
 * Of the capabilities: members in all, levels of objects, characters of a text. Those of all revisions have thirty
 * members.
 */
const maxCapabilities = 200;
const capabilityLevels = 5;
const maxCapabilityText = 256;

/** Reads what a target says of itself, without what is beyond the bounds. */
export function handshakeOf(capabilities: unknown, instructions: unknown): Handshake {
  return {
    capabilities: keptCapabilities(asJsonObject(capabilities)),
    instructions: typeof instructions === 'string' ? detached(instructions.slice(0, maxInstructions)) : undefined,
  };
}

/** Copies what may be kept of capabilities: flags and short texts, in objects, and no lists. */
function keptCapabilities(capabilities: JsonObject): JsonObject {
  let left = maxCapabilities;
  const copy = (object: JsonObject, levels: number): JsonObject => {
    const kept: (readonly [string, unknown])[] = [];
    // Not `Object.entries`, which would make a list of all.
    for (const name in object) {
      left -= 1;
      if (left < 0) break;
      if (name.length > maxCapabilityText) continue;
      const value = object[name];
      if (isJsonObject(value)) kept.push([name, levels === 0 ? {} : copy(value, levels - 1)]);
      else if (typeof value === 'boolean' || (typeof value === 'string' && value.length <= maxCapabilityText)) {
        kept.push([name, value]);
      }
    }
    return Object.fromEntries(kept);
  };
  return copy(capabilities, capabilityLevels);
}
