/** An object of a typed client as its JSON has it: times are text. */
export type AsJson<T> = T extends Date
  ? string
  : T extends object
    ? { readonly [Field in keyof T]: AsJson<T[Field]> }
    : T;

/**
 * A `MicroTime` of the Kubernetes API, which has exactly six digits after the point: the three of JavaScript are refused.
 *
 * @param at milliseconds since the epoch
 */
export function microTime(at: number): string {
  return new Date(at).toISOString().replace('Z', '000Z');
}
