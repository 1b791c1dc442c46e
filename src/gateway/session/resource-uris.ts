import type { Qualified } from './qualified-names.ts';

/*
 * How clients see the resources of all targets, in one space of URIs:
 *
 *   resource u of target t   mcp://t/<u percent-encoded>    mcp://default/tool/file%3A%2F%2F%2Fa
 *   template u of target t   mcp://t/:<u as it is>          mcp://default/tool/:file:///{path}
 *
 * The parts of t between its slashes are percent-encoded, and so is all of u in the first form: neither leaves a colon.
 * Hence the first colon tells the second form from the first, the last slash before it (or of all) ends t, and every URI
 * can be read in one way only.
 *
 * What a client makes of a template follows RFC 6570 and is already percent-encoded where it must be. The first form
 * would encode it once more or not at all depending on the expression; the second one gives the target exactly what its
 * own template would have given, whatever the expressions are.
 */

const scheme = 'mcp://';

/** The URI of a target's resource as clients see it; `undefined` when it is no well-formed text. */
export function showUri({ target, name }: Qualified): string | undefined {
  if (!isShowable(target) || !name.isWellFormed()) return undefined;
  return `${scheme}${encodeTarget(target)}/${encodeURIComponent(name)}`;
}

/** A target's URI template as clients see it; `undefined` when it is no well-formed text. */
export function showTemplate({ target, name }: Qualified): string | undefined {
  if (!isShowable(target) || !name.isWellFormed()) return undefined;
  return `${scheme}${encodeTarget(target)}/:${name}`;
}

/** The target and its URI (or template) behind what a client sees or has expanded; `undefined` for any other text. */
export function readUri(shown: string): Qualified | undefined {
  if (!shown.startsWith(scheme)) return undefined;
  const rest = shown.slice(scheme.length);
  const colon = rest.indexOf(':');
  if (colon !== -1) {
    if (rest[colon - 1] !== '/') return undefined;
    return qualified(decode(rest.slice(0, colon - 1)), rest.slice(colon + 1));
  }
  const slash = rest.lastIndexOf('/');
  if (slash === -1) return undefined;
  return qualified(decode(rest.slice(0, slash)), decode(rest.slice(slash + 1)));
}

/** Hosts of MCP Apps find their pages by this scheme, so such URIs keep it and cannot say whose they are. */
export function isUiUri(uri: string): boolean {
  return uri.startsWith('ui://');
}

function qualified(target: string | undefined, name: string | undefined): Qualified | undefined {
  return target === undefined || name === undefined || !isShowable(target) ? undefined : { target, name };
}

/** A colon would let the name that rules know, `t:u`, be read in two ways. */
function isShowable(target: string): boolean {
  return target.isWellFormed() && !target.includes(':');
}

function encodeTarget(target: string): string {
  return target.split('/').map(encodeURIComponent).join('/');
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
