import type { Rule } from '../../translate/model.ts';
import { dottedNameOf } from './target-name.ts';

declare const brand: unique symbol;

/** A CEL expression that is false for a caller without claims. */
type CelExpression = string & { readonly [brand]: 'CelExpression' };

/** Never empty: the data plane allows everything when no policy of a request has an expression. */
export type AllowList = readonly [CelExpression, ...CelExpression[]];

/** Allows nothing, and closes what stands open without any expression. */
export const allowNothing: AllowList = ['false' as CelExpression];

/**
 * Returns the expressions of rules; undefined when none of them can match anything here, so that there is no list to
 * send. Expressions of one list, and of all policies of a Gateway, are alternatives.
 */
export function allowList(rules: readonly Rule[]): AllowList | undefined {
  const [first, ...others] = rules.flatMap((rule) => expressionOf(rule) ?? []);
  return first === undefined ? undefined : [first, ...others];
}

/**
 * Returns the expression of one rule. The data plane evaluates it with `jwt`, the claims of the caller, and with one of
 * `mcp.tool`, `mcp.prompt` and `mcp.resource`. Whatever is missing is an error there, which counts as false; a claim that
 * is no string equals no string.
 */
function expressionOf({ claim, value, kind, id }: Rule): CelExpression | undefined {
  const caller = `jwt[${literal(claim)}] == ${literal(value)}`;
  if (id === '*') return `${caller} && mcp.${kind}.name != ""` as CelExpression;
  const colon = id.indexOf(':');
  const target = dottedNameOf(id.slice(0, colon));
  if (target === undefined) return undefined;
  const item = `mcp.${kind}.target == ${literal(target)} && mcp.${kind}.name == ${literal(id.slice(colon + 1))}`;
  return `${caller} && ${item}` as CelExpression;
}

/** Returns a CEL string literal. Letters of all scripts stand for themselves; what could end the literal is escaped. */
function literal(text: string): string {
  return `"${text.replace(/["\\\p{Cc}\p{Zl}\p{Zp}]/gu, escaped)}"`;
}

function escaped(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`;
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
