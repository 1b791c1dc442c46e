import type { QualifiedName } from './qualified-names.ts';

/*
 * Resource URIs of all targets in one URI space, as clients see them ("exposed" URIs):
 *
 *   resource u of target t   mcp://t/<u percent-encoded>    mcp://default/tool/file%3A%2F%2F%2Fa
 *   template u of target t   mcp://t/:<u as it is>          mcp://default/tool/:file:///{path}
 *
 * The segments of t between its slashes are percent-encoded, and so is all of u in the first form: neither contains a
 * colon. Therefore the first colon distinguishes the two forms, the last slash before it (or of all) ends t, and every
 * URI has exactly one meaning.
 *
 * A client expands a template by RFC 6570, which percent-encodes values where necessary. The first form would encode
 * them once more or not at all, depending on the expression; the second form gives the target exactly what its own
 * template would have given, for every expression.
 *
 * A client that decodes the path of a resource, as VS Code does, asks for the first form with u as it is. It is told
 * from the second one by the colon of u, which has a scheme in front of it, and means the same.
 */

const scheme = 'mcp://';

/** Replaces a URI of a target in a result by the exposed URI. */
export type UriRewriter = (uri: string) => string;

/** Exposes the URI of a target's resource. Returns `undefined` when target or URI are not well-formed. */
export function exposeUri({ target, name }: QualifiedName): string | undefined {
  if (!isExposable(target) || !name.isWellFormed()) return undefined;
  return `${scheme}${encodeTarget(target)}/${encodeURIComponent(name)}`;
}

/** Exposes a target's URI template. Returns `undefined` when target or template are not well-formed. */
export function exposeTemplate({ target, name }: QualifiedName): string | undefined {
  if (!isExposable(target) || !name.isWellFormed()) return undefined;
  return `${scheme}${encodeTarget(target)}/:${name}`;
}

/**
 * Parses an exposed URI, template or expanded template into target and URI, also after its path was decoded. Returns
 * `undefined` for any other text.
 */
export function parseExposedUri(exposed: string): QualifiedName | undefined {
  if (!exposed.startsWith(scheme)) return undefined;
  const rest = exposed.slice(scheme.length);
  const colon = rest.indexOf(':');
  if (colon !== -1) {
    const end = rest.lastIndexOf('/', colon);
    if (end === -1) return undefined;
    return qualifiedName(decode(rest.slice(0, end)), rest.slice(end === colon - 1 ? colon + 1 : end + 1));
  }
  const slash = rest.lastIndexOf('/');
  if (slash === -1) return undefined;
  return qualifiedName(decode(rest.slice(0, slash)), decode(rest.slice(slash + 1)));
}

/** Tests for the scheme of MCP Apps. Hosts find the pages of apps by it, so such URIs are exposed unchanged. */
export function isUiUri(uri: string): boolean {
  return uri.startsWith('ui://');
}

/**
 * Characters of the URIs that are rewritten in one result. Encoding takes up to 30 ns for each, and three characters.
 * No honest result has as many: ten thousand URIs of a hundred characters.
 */
const maxRewritten = 1024 * 1024;
/** What each of them costs beside its characters: finding and replacing one takes 3 µs, however short it is. */
const uriCost = 64;

/**
 * Returns the rewriter for one result of a target. URIs of MCP Apps, those that cannot be exposed, and those beyond
 * {@link maxRewritten} stay as they are.
 */
export function uriRewriterOf(target: string): UriRewriter {
  let left = maxRewritten;
  return (name) => {
    const cost = name.length + uriCost;
    if (isUiUri(name) || cost > left) return name;
    left -= cost;
    return exposeUri({ target, name }) ?? name;
  };
}

function qualifiedName(target: string | undefined, name: string | undefined): QualifiedName | undefined {
  return target === undefined || name === undefined || !isExposable(target) ? undefined : { target, name };
}

/** A colon would make the name in RBAC rules, `t:u`, ambiguous. */
function isExposable(target: string): boolean {
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
