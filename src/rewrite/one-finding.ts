/** One cause, one finding: what is wrong with an expression, and what follows from it for where it leads. */
import type { Code, Report, Span } from '../config/diagnostic.ts';

type Given = Parameters<Report>[2];
type Finding = Exclude<Given, () => unknown>;

interface Held {
  readonly code: Code;
  readonly span: Span;
  readonly finding: Given;
}

export interface OneFinding {
  /** For what expressions hold: text that is meant as a variable waits for what it does to the target. */
  readonly ofExpressions: Report;
  /** For the target that they make. */
  readonly ofTarget: Report;
  /** Reports what waits still. */
  readonly close: () => void;
}

/** A host that is none, since a variable in it has no braces, is told with the cure of that. */
const OF_HOST: ReadonlySet<Code> = new Set<Code>(['LG2230', 'LG2235', 'LG2237']);

export function oneFinding(report: Report): OneFinding {
  let held: Held[] = [];
  const empty: Span[] = [];
  return {
    ofExpressions: (code, span, finding) => {
      if (code === 'LG2215') empty.push(span);
      if (code === 'LG2249') held.push({ code, span, finding });
      else report(code, span, finding);
    },
    ofTarget: (code, span, finding) => {
      // What can come out of a variable that is always empty needs no words.
      if (code === 'LG2238' && empty.some((other) => overlap(other, span))) return;
      const cause = OF_HOST.has(code) ? held.find((each) => overlap(each.span, span)) : undefined;
      if (!cause) {
        report(code, span, finding);
        return;
      }
      held = held.filter((each) => each !== cause);
      const told = wordsOf(finding);
      const message = `${told.message} Variables and back-references have braces of their own on IIS.`;
      report(code, cause.span, { ...told, message, advice: wordsOf(cause.finding).advice });
    },
    close: () => {
      for (const { code, span, finding } of held) report(code, span, finding);
      held = [];
    },
  };
}

function wordsOf(finding: Given): Finding {
  return typeof finding === 'function' ? finding() : finding;
}

function overlap(one: Span, other: Span): boolean {
  return one.file === other.file && one.start < other.end && other.start < one.end;
}
