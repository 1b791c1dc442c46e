import { styleText } from 'node:util';
import type { Terminal } from '../terminal.ts';

/** How texts are emphasized on a terminal; elsewhere they stay as they are. */
export interface Style {
  readonly colour: boolean;
  red(text: string): string;
  yellow(text: string): string;
  green(text: string): string;
  bold(text: string): string;
  dim(text: string): string;
}

/** Colours on a terminal, unless NO_COLOR is set and not empty (https://no-color.org). */
export function styleOf({ stdout, environment }: Pick<Terminal, 'stdout' | 'environment'>): Style {
  const colour = stdout.isTTY === true && !environment['NO_COLOR'];
  const as =
    (format: Parameters<typeof styleText>[0]) =>
    (text: string): string =>
      colour ? styleText(format, text, { validateStream: false }) : text;
  return { colour, red: as('red'), yellow: as('yellow'), green: as('green'), bold: as('bold'), dim: as('dim') };
}

/** Lines that may repeat texts from outside: all characters but line feeds that would move the cursor become visible. */
export function visibleLines(text: string): string {
  return text.split('\n').map(oneLine).join('\n');
}

/** A text from outside on one line: characters that would move the cursor become visible. */
export function oneLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '�');
}
