import TransportStream from 'winston-transport';
import type { LogOutput } from './log-output.ts';

/** Maximum age of a buffered line, in milliseconds. */
const flushInterval = 10;

/** Characters that trigger a flush. A pipe of Linux buffers 64 KiB, so that the write does not block. */
const maxBuffered = 16 * 1024;

/**
 * Buffers lines so that many of them share one system call: nodes that reconnect log thousands of lines. Flushes every
 * 10 milliseconds, at 16 Ki characters, with each error, and at exit. A process that is killed loses at most the last
 * 10 milliseconds.
 */
export class BufferedTransport extends TransportStream {
  readonly #output: LogOutput;
  readonly #lost: (lines: number) => void;
  #buffer = '';
  #lines = 0;
  /** Lost lines of which no line tells yet. */
  #untoldLines = 0;
  #lostLines = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param lost called when there is room again, with the number of lines that were lost meanwhile */
  constructor(output: LogOutput, lost: (lines: number) => void) {
    super();
    this.#output = output;
    this.#lost = lost;
    process.once('exit', () => this.#flush());
  }

  /** Lines that were lost since the start. */
  get lostLines(): number {
    return this.#lostLines;
  }

  override log(info: LogEntry, next: () => void): void {
    this.#buffer += `${info[formatted]}\n`;
    this.#lines += 1;
    if (info.level === 'error' || this.#buffer.length > maxBuffered) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), flushInterval).unref();
    next();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const [text, lines] = [this.#buffer, this.#lines];
    this.#buffer = '';
    this.#lines = 0;
    if (lines === 0 || this.#output.write(text)) return;
    if (this.#untoldLines === 0) this.#output.whenRoom(() => this.#sayLost());
    this.#untoldLines += lines;
    this.#lostLines += lines;
  }

  #sayLost(): void {
    const lines = this.#untoldLines;
    this.#untoldLines = 0;
    this.#lost(lines);
  }
}

/** The key under which winston's format stores the formatted line. */
const formatted: unique symbol = Symbol.for('message');

interface LogEntry {
  readonly level: string;
  readonly [formatted]: string;
}
