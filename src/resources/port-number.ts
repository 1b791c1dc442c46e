import { type Decoder, misfit } from './decode/decoder.ts';
import { ok } from './part.ts';

/** An integer from 1 to 65535; the string "80" is none. */
export const portNumber: Decoder<number> = (value, at, report) => {
  if (typeof value !== 'number') return report.error(at, misfit(value, 'an integer from 1 to 65535, without quotes'));
  if (Number.isInteger(value) && value >= 1 && value <= 65535) return ok(value);
  return report.error(at, `is ${value}: write an integer from 1 to 65535.`);
};
