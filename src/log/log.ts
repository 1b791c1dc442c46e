import { fstatSync } from 'node:fs';
import { createLogger, format, type Logger as Winston } from 'winston';
import type { Fields, Logger, LogLevel, LogLevelControl, LogLosses } from '../edges.ts';
import { BufferedTransport } from './buffered-transport.ts';
import { fileOutput, type LogOutput, streamOutput } from './log-output.ts';

/** The format of log lines. `auto`: text on a terminal, else JSON. */
export type LogFormat = 'auto' | 'json' | 'text';

/** A log whose level can be changed while it is in use, with that of its children, and which counts what it loses. */
export type LeveledLog = Logger & LogLevelControl & LogLosses;

/**
 * Creates the program's log, which writes to standard error.
 *
 * @param logFormat `auto`: text if `isTerminal`, else JSON
 * @param isTerminal whether standard error is a terminal
 * @param colour whether levels are coloured in text
 */
export function createLog(level: LogLevel, logFormat: LogFormat, isTerminal: boolean, colour: boolean): LeveledLog {
  const text = logFormat === 'text' || (logFormat === 'auto' && isTerminal);
  const lost = (lines: number): void =>
    log.warn('lines of the log are lost, since nobody has read standard error, or its disk was full', { lines });
  const transport = new BufferedTransport(standardError(isTerminal), lost);
  const winston = createLogger({
    level,
    format: format.combine(format.timestamp(), boundedTexts(), text ? textLine(colour) : jsonLine()),
    transports: [transport],
  });
  const log = new RootLogger(winston, level, transport);
  return log;
}

/** Linux writes files and devices synchronously, so that the log can do it itself: see {@link fileOutput}. */
function standardError(isTerminal: boolean): LogOutput {
  const { fd } = process.stderr;
  const status = fstatSync(fd);
  return status.isFile() || (status.isCharacterDevice() && !isTerminal) ? fileOutput(fd) : streamOutput(process.stderr);
}

/** A class, because each connected node has one. */
class FieldsLogger implements Logger {
  readonly #winston: Winston;
  readonly #fields: Fields;

  constructor(winston: Winston, fields: Fields) {
    this.#winston = winston;
    this.#fields = fields;
  }

  debug(message: string, more?: Fields): void {
    this.#winston.debug(message, { ...this.#fields, ...more });
  }

  info(message: string, more?: Fields): void {
    this.#winston.info(message, { ...this.#fields, ...more });
  }

  warn(message: string, more?: Fields): void {
    this.#winston.warn(message, { ...this.#fields, ...more });
  }

  error(message: string, more?: Fields): void {
    this.#winston.error(message, { ...this.#fields, ...more });
  }

  child(more: Fields): Logger {
    return new FieldsLogger(this.#winston, { ...this.#fields, ...more });
  }
}

class RootLogger extends FieldsLogger implements LeveledLog {
  readonly #winston: Winston;
  readonly #losses: LogLosses;
  #level: LogLevel;

  constructor(winston: Winston, level: LogLevel, losses: LogLosses) {
    super(winston, {});
    this.#winston = winston;
    this.#level = level;
    this.#losses = losses;
  }

  get lostLines(): number {
    return this.#losses.lostLines;
  }

  get level(): LogLevel {
    return this.#level;
  }

  set level(level: LogLevel) {
    this.#level = level;
    this.#winston.level = level;
  }
}

/** Formats a line as a JSON object; time, level and message come first, for readers. */
function jsonLine(): ReturnType<typeof format.printf> {
  return format.printf(({ timestamp, level, message, ...fields }) =>
    printable(JSON.stringify({ timestamp, level, message, ...fields })),
  );
}

const colours: Readonly<Record<string, string>> = {
  debug: '\u001b[2m',
  info: '\u001b[32m',
  warn: '\u001b[33m',
  error: '\u001b[31m',
};

/** Formats a line as time of day, level, message and key=value pairs; empty fields are omitted. */
function textLine(colour: boolean): ReturnType<typeof format.printf> {
  return format.printf(({ timestamp, level, message, ...fields }) => {
    const present = Object.entries(fields).filter(([, value]) => value !== undefined && value !== '');
    const pairs = present.map(([key, value]) => `${key}=${textValue(value)}`);
    const label = colour ? `${colours[level] ?? ''}${level.padEnd(5)}\u001b[0m` : level.padEnd(5);
    return [String(timestamp).slice(11, 23), label, printable(String(message)), ...pairs].join(' ');
  });
}

/**
 * Characters of a message or field that are logged. What others wrote is shortened to 200 where a message is made, and
 * a message holds a few such texts; this keeps a forgotten one from filling the log.
 */
const maxText = 2000;

/** Replaces each Error by its message, since JSON.stringify would write `{}`, and shortens texts. */
function boundedTexts(): ReturnType<ReturnType<typeof format>> {
  return format((info) => {
    for (const key in info) info[key] = boundedText(info[key]);
    return info;
  })();
}

function boundedText(value: unknown): unknown {
  if (value instanceof Error) return boundedText(value.message);
  if (Array.isArray(value)) return value.map(boundedText);
  if (typeof value !== 'string' || value.length <= maxText) return value;
  return `${value.slice(0, maxText)}…`.toWellFormed();
}

function textValue(value: unknown): string {
  if (typeof value !== 'string') return printable(JSON.stringify(value) ?? 'undefined');
  return printable(/^[^\s"=]+$/.test(value) ? value : JSON.stringify(value));
}

/** Escapes control characters: names come from clients and could steer the terminal or forge a line. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
