/** Decodes the objects that users write: strictly enough for `check`, tolerantly enough to serve. */
export { AmbiguousScalar } from './decode/decoder.ts';
export { pathText } from './decode/reporter.ts';
export {
  decode,
  encodedPartsOf,
  kinds,
  labelsOfPart,
  matchKind,
  mcpAppProtocols,
  partsOf,
  resourceKey,
} from './kinds/kinds.ts';
