import { isJsonContentType } from '@modelcontextprotocol/server';
import { parseKeySet } from '../../../src/gateway/authn/key-set.ts';
import { verify } from '../../../src/gateway/authn/verify.ts';
import { targetUrl } from '../../../src/gateway/network/target-url.ts';
import { decodeMessage } from '../../../src/gateway/rpc/decode-message.ts';
import { unqualify } from '../../../src/gateway/session/names/qualified-names.ts';
import { exposeTemplate, exposeUri, parseExposedUri } from '../../../src/gateway/session/names/resource-uris.ts';
import { parseBoundedJson } from '../../../src/json/bounded-json.ts';
import { quoted } from '../../../src/json/quoted.ts';
import { charsetOfHtml, decodeText } from '../../../src/mcp-tool/convert/charset.ts';
import { csvToMarkdown } from '../../../src/mcp-tool/convert/csv.ts';
import { detectFormat } from '../../../src/mcp-tool/convert/document-format.ts';
import { fencedCode, tableCell } from '../../../src/mcp-tool/convert/markdown-syntax.ts';
import { allowPublicAddresses } from '../../../src/mcp-tool/fetch/address-policy.ts';
import { decodeDataUri } from '../../../src/mcp-tool/fetch/data-uri.ts';
import { extensionOf, parseHttpUrl } from '../../../src/mcp-tool/fetch/http-url.ts';
import { parseContentType } from '../../../src/mcp-tool/source-document.ts';
import { uriScheme } from '../../../src/mcp-tool/uri-converter.ts';
import { acceptedTypes } from '../../../src/net/accept.ts';
import { parseBearer } from '../../../src/net/guard/bearer-token.ts';
import { parseHostPort } from '../../../src/net/host-port.ts';
import { isLocalName, isLoopback, isLoopbackAuthority, isLoopbackOrigin } from '../../../src/net/loopback.ts';
import { parseRequestUrl } from '../../../src/net/request-url.ts';
import {
  apiGroup,
  apiKind,
  dnsLabel,
  dnsSubdomain,
  isPlain,
  labelKey,
  labelValue,
  listenerHostname,
} from '../../../src/resources/decode/formats.ts';
import { parseIp } from '../../../src/resources/decode/ip-address.ts';
import { readAuthority, readRole } from '../../../src/serve/node/identification.ts';
import { readPlain } from '../../../src/source/files/manifest/plain-scalar.ts';
import { eventName, eventNote, reportingController } from '../../../src/status/events/event.ts';
import { claimValue, host, isIpAddress, urlPath } from '../../../src/translate/names.ts';
import { createIssuer } from '../gateway/issuer.ts';

/** Reads a text that somebody outside of the program wrote. May throw. */
type Parser = (text: string) => unknown;

type Entry = readonly [name: string, parse: Parser];

const bytesOf = (text: string): Buffer => Buffer.from(text);
const target = { name: 't', host: 'h', port: 80, path: '/' };

/** A stranger, over HTTP. */
const strangers: readonly Entry[] = [
  ['Authorization', parseBearer],
  ['Authorization, after the scheme', (text) => parseBearer(`Bearer ${text}`)],
  ['Accept', acceptedTypes],
  ['Content-Type of a message', isJsonContentType],
  ['Host', isLoopbackAuthority],
  ['Origin', isLoopbackOrigin],
  ['Origin, after the scheme', (text) => isLoopbackOrigin(`http://${text}`)],
  ['the request line', (text) => parseRequestUrl(text)?.searchParams.get('sessionId')],
  ['the path of a request', (text) => parseRequestUrl(`//${text}`)],
];

/** A caller. */
const callers: readonly Entry[] = [
  ['a body', (text) => parseBoundedJson(text, { maxValues: 1_000_000, maxDepth: 1_000_000 })],
  ['a message', (text) => decodeMessage({ jsonrpc: '2.0', id: text, method: text, params: { [text]: text } })],
  ['the name of a tool', unqualify],
  ['the URI of a resource', parseExposedUri],
  ['the URI of a resource, after the scheme', (text) => parseExposedUri(`mcp://${text}`)],
];

/** A target. */
const targets: readonly Entry[] = [
  ['the URI of a resource of a target', (name) => exposeUri({ target: 'n/t', name })],
  ['a template of a target', (name) => exposeTemplate({ target: 'n/t', name })],
];

/** A control plane, and the author of a Service. */
const authors: readonly Entry[] = [
  ['the host of a target', (text) => targetUrl({ ...target, host: text })],
  ['the path of a target', (text) => targetUrl({ ...target, path: `/${text}` })],
  ['a local name', isLocalName],
  ['a loopback name', isLoopback],
  ['host and port', parseHostPort],
  ...[apiGroup, apiKind, dnsLabel, dnsSubdomain, labelKey, labelValue, listenerHostname].map(
    ({ expected: title, test }): Entry => [title, test],
  ),
  ['plain text', isPlain],
  ['an IP address', parseIp],
  ['a host on the wire', host],
  ['an IP address on the wire', isIpAddress],
  ['a path on the wire', (text) => urlPath(`/${text}`)],
  ['a claim on the wire', claimValue],
  ['a plain scalar of YAML', readPlain],
  ['the note of an Event', eventNote],
  ['the name of an Event', (text) => eventName(text, 'x')],
  ['the name of a controller', reportingController],
];

/** A node. */
const nodes: readonly Entry[] = [
  ['an authority', (text) => readAuthority(text, 'cluster.local')],
  ['a role', readRole],
  ['a quotation', quoted],
];

/** A caller of the sample tool, and the servers that it fetches from. */
const documents: readonly Entry[] = [
  ['the scheme of a URI', uriScheme],
  ['a data: URI', decodeDataUri],
  ['the type of a data: URI', (text) => decodeDataUri(`data:text/plain${text},x`)],
  ['the host of an http: URL', (text) => parseHttpUrl(`http://${text}`, undefined, allowPublicAddresses)],
  ['an http: URL without slashes', (text) => parseHttpUrl(`http:${text}`, undefined, allowPublicAddresses)],
  ['a redirect', (text) => parseHttpUrl(text, new URL('http://h/'), allowPublicAddresses)],
  ['the data of a data: URI', (text) => decodeDataUri(`data:;base64,${text}`)],
  ['an http: URL', (text) => extensionOf(parseHttpUrl(`http://h/${text}`, undefined, allowPublicAddresses))],
  ['Content-Type of a document', parseContentType],
  ['the format of a document', (text) => detectFormat({ bytes: bytesOf(text), contentType: undefined, extension: '' })],
  ['the charset of a page', (text) => charsetOfHtml(bytesOf(text))],
  ['the text of a document', (text) => decodeText(bytesOf(text), undefined)],
  ['CSV', (text) => csvToMarkdown(text, undefined, 1_000_000)],
  ['a cell', tableCell],
  ['code', (text) => fencedCode(text, 'js')],
];

/**
 * Every parser of text from outside that runs on a thread which serves others, by who writes the text. The converters of
 * HTML, DOCX and PDF are not here: they run in a process with limits of time and memory.
 */
export async function outsideParsers(): Promise<readonly Entry[]> {
  const issuer = await createIssuer();
  const keys = await parseKeySet(JSON.stringify(issuer.jwk));
  const expected = { issuers: [], audiences: [] };
  const signed = await issuer.sign({ exp: 4_000_000_000 });
  const tokens: readonly Entry[] = [
    ['a token', (text) => verify(text, keys, expected, 0)],
    ['the end of a token', (text) => verify(`${signed}${text}`, keys, expected, 0)],
  ];
  return [...strangers, ...tokens, ...callers, ...targets, ...authors, ...nodes, ...documents];
}
