/** A JSON object, its fields not looked at yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The object in a field; an empty one when there is none. */
export function objectIn(value: unknown, field: string): JsonObject {
  const inner = isJsonObject(value) ? value[field] : undefined;
  return isJsonObject(inner) ? inner : {};
}

/** The text in a field, unless it is empty. */
export function textIn(value: unknown, field: string): string | undefined {
  const inner = isJsonObject(value) ? value[field] : undefined;
  return typeof inner === 'string' && inner !== '' ? inner : undefined;
}

/** Undefined: the text is no JSON. */
export function parseJson(text: string): { readonly value: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return { value };
  } catch {
    return undefined;
  }
}
