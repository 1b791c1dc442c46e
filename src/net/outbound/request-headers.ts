/** The name of a header field (RFC 9110, section 5.1), in lower case. */
const fieldName = /^[!#$%&'*+\-.^_`|~0-9a-z]{1,100}$/;

/** What describes one connection or one message, so that it means nothing, or something else, on another one. */
const ofOneMessage: ReadonlySet<string> = new Set([
  ...['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade'],
  ...['proxy-authenticate', 'proxy-authorization', 'host', 'expect', 'last-event-id'],
  ...['content-length', 'content-type', 'content-encoding', 'accept', 'accept-encoding'],
]);

/**
 * Says why a program between a client and a server must not set a header of this name on a request of MCP; `undefined`
 * when it may. The name is in lower case.
 */
export function headerNameProblem(name: string): string | undefined {
  if (!fieldName.test(name)) return 'is no name of a header, in lower case';
  if (name.startsWith('mcp-')) return 'says something about the messages of MCP, and is set by this gateway';
  return ofOneMessage.has(name) ? 'is about one connection or message' : undefined;
}

/** Characters of one value. */
const maxValue = 8 * 1024;

/**
 * Says why a text can be no value of a header (RFC 9110, section 5.5); `undefined` when it can. Never repeats the text,
 * which may be a secret.
 */
export function headerValueProblem(value: string): string | undefined {
  if (value === '') return 'is empty';
  if (value.length > maxValue) return `has more than ${maxValue} characters`;
  if (/[\r\n]/.test(value)) return 'has a line break';
  if (!/^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/.test(value)) {
    return 'begins or ends with a blank, or has something else than visible ASCII';
  }
  return undefined;
}
