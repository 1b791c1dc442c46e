import { quoted } from '../../json/quoted.ts';
import { RequestError } from '../routes.ts';

/** A part of a list: `offset` entries are left out, and at most `limit` follow. */
export interface Page {
  readonly offset: number;
  readonly limit: number;
}

/** A page of a list, and the number of all. */
export interface Paged<T> extends Page {
  readonly total: number;
  readonly items: readonly T[];
}

/** The most entries of one page: what a browser shows and a client holds without effort. */
const maxLimit = 1_000;

/** Characters of a search text; names have 253 at most. */
const maxSearch = 253;

/** @throws RequestError */
export function pageOf(query: URLSearchParams, defaultLimit: number, suffix = ''): Page {
  return {
    offset: numberIn(query, `offset${suffix}`, 0, Number.MAX_SAFE_INTEGER),
    limit: numberIn(query, `limit${suffix}`, defaultLimit, maxLimit),
  };
}

function numberIn(query: URLSearchParams, name: string, otherwise: number, most: number): number {
  const text = query.get(name);
  if (text === null) return otherwise;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value <= most) return value;
  throw new RequestError(400, `${name} is a whole number from 0 to ${most}, and not ${quoted(text)}.`);
}

/** Takes one page of a list. */
export function paged<T, R>(all: readonly T[], { offset, limit }: Page, map: (value: T) => R): Paged<R> {
  return { total: all.length, offset, limit, items: all.slice(offset, offset + limit).map(map) };
}

/** The key of an object, `<namespace>/<name>`; undefined when it is not asked for. @throws RequestError */
export function gatewayIn(query: URLSearchParams): string | undefined {
  const gateway = query.get('gateway') ?? undefined;
  if (gateway === undefined || /^[^/]+\/[^/]+$/.test(gateway)) return gateway;
  throw new RequestError(400, 'gateway is <namespace>/<name>, for example ?gateway=default/mcp-gateway.');
}

/** One of some words; undefined when it is not asked for. @throws RequestError */
export function wordIn<W extends string>(query: URLSearchParams, name: string, words: readonly W[]): W | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  const word = words.find((known) => known === text);
  if (word !== undefined) return word;
  throw new RequestError(400, `${name} is one of ${words.join(', ')}, and not ${quoted(text)}.`);
}

/** The text that names have to contain, in lower case; empty: any. @throws RequestError */
export function searchIn(query: URLSearchParams): string {
  const text = query.get('q') ?? '';
  if (text.length <= maxSearch) return text.trim().toLowerCase();
  throw new RequestError(400, `q has at most ${maxSearch} characters.`);
}

/** A time as RFC 3339, in UTC. */
export function timeText(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
