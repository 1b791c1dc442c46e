import type { Fields, Logger } from '../../../src/edges.ts';

/** One log line. */
interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Fields;
}

/** A logger that records its lines. */
export interface RecordedLog extends Logger {
  readonly lines: readonly LogLine[];
  /** Settles with the first line that contains the text, written already or later. */
  line(text: string): Promise<LogLine>;
  /** All messages and fields as one text, for checks that a secret is absent. */
  text(): string;
}

export function createRecordedLog(): RecordedLog {
  const lines: LogLine[] = [];
  const awaited: { readonly text: string; readonly resolve: (line: LogLine) => void }[] = [];

  const logger = (bound: Fields): Logger => {
    const write =
      (level: LogLine['level']) =>
      (message: string, fields: Fields = {}): void => {
        const line = { level, message, fields: { ...bound, ...fields } };
        lines.push(line);
        for (const waiter of awaited) if (message.includes(waiter.text)) waiter.resolve(line);
      };
    return {
      debug: write('debug'),
      info: write('info'),
      warn: write('warn'),
      error: write('error'),
      child: (fields) => logger({ ...bound, ...fields }),
    };
  };

  return {
    ...logger({}),
    lines,
    line(text) {
      const written = lines.find(({ message }) => message.includes(text));
      if (written !== undefined) return Promise.resolve(written);
      const { promise, resolve } = Promise.withResolvers<LogLine>();
      awaited.push({ text, resolve });
      return promise;
    },
    text: () => JSON.stringify(lines),
  };
}
