/** A JSON object whose members were not looked at yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Returns whether a parsed JSON value is an object; an array is none. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns the value itself when it is an object, else an empty one. */
export function asJsonObject(value: unknown): JsonObject {
  return isJsonObject(value) ? value : {};
}

/** Returns the object in a field of an object; an empty one when there is none. */
export function objectIn(value: unknown, field: string): JsonObject {
  return asJsonObject(asJsonObject(value)[field]);
}

/** Returns the text in a field of an object; undefined when it is missing, empty or no text. */
export function textIn(value: unknown, field: string): string | undefined {
  const inner = asJsonObject(value)[field];
  return typeof inner === 'string' && inner !== '' ? inner : undefined;
}

/** Returns the objects of a list, without its other entries. Empty when the value is no list. */
export function objectsOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

/** Parses JSON. The value is wrapped, because it may be anything, also null; undefined for text that is no JSON. */
export function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return { value };
  } catch {
    return undefined;
  }
}
