/** Which language a locale asks for, and how it writes names, lists, times and dates: `Intl`'s way, in the same language. */
import { NightshiftError, show } from "../../errors/index.ts";
import { DAY, MINUTE, SECOND } from "../civil.ts";
import { english } from "./english.ts";
import { french } from "./french.ts";
import { german } from "./german.ts";
import { norwegian } from "./norwegian.ts";
import type { Phrases, Unit } from "./phrases.ts";
import { fill } from "./phrases.ts";
import { spanish } from "./spanish.ts";

const LANGUAGES: Readonly<Record<string, Phrases>> = {
  en: english,
  de: german,
  fr: french,
  es: spanish,
  nb: norwegian,
  no: norwegian,
};

/** A language, with a locale's way of writing times and dates. */
export class Language {
  readonly say: Phrases;
  /** How times and dates are written. */
  readonly #locale: string;
  readonly #list: Intl.ListFormat;
  readonly #names = new Map<string, string>();

  constructor(say: Phrases, locale: string) {
    this.say = say;
    this.#locale = locale;
    this.#list = new Intl.ListFormat(say.tag, { type: "conjunction" });
  }

  /** `"a, b and c"`. */
  list(words: readonly string[]): string {
    return this.#list.format(words);
  }

  /** 0 is Sunday. */
  weekday(n: number): string {
    // 4 January 1970 was a Sunday.
    return this.#name(`weekday ${n}`, { weekday: "long" }, (3 + n) * DAY);
  }

  /** 1 is January. */
  month(n: number): string {
    return this.#name(`month ${n}`, { month: "long" }, Date.UTC(1970, n - 1, 1));
  }

  /** `"24 December"`. */
  dayOfYear(month: number, day: number): string {
    const style = { day: "numeric", month: "long", timeZone: "UTC" } as const;
    return new Intl.DateTimeFormat(this.#locale, style).format(Date.UTC(2000, month - 1, day));
  }

  /** `"every minute"`, `"every 5 minutes"`. */
  every(n: number, unit: Unit): string {
    const [one, many] = this.say.every[unit];
    return n === 1 ? one : fill(many, n);
  }

  /** A time of day, given in milliseconds after midnight. Seconds only when there are some. */
  timeOfDay(time: number): string {
    const seconds = time % MINUTE >= SECOND ? ({ second: "2-digit" } as const) : {};
    const options = { hour: "2-digit", minute: "2-digit", ...seconds, timeZone: "UTC" } as const;
    return new Intl.DateTimeFormat(this.#locale, options).format(time);
  }

  /** An instant in a zone. */
  instant(at: number, timeZone: string): string {
    return new Intl.DateTimeFormat(this.#locale, { dateStyle: "medium", timeStyle: "medium", timeZone }).format(at);
  }

  /** The sentence with a capital letter, and the zone it is about. */
  sentence(text: string, timeZone?: string): string {
    const first = text.charAt(0).toLocaleUpperCase(this.say.tag);
    return `${first}${text.slice(1)}${timeZone === undefined ? "" : ` (${timeZone})`}`;
  }

  #name(key: string, style: Intl.DateTimeFormatOptions, at: number): string {
    let name = this.#names.get(key);
    if (name === undefined) {
      name = new Intl.DateTimeFormat(this.say.tag, { ...style, timeZone: "UTC" }).format(at);
      this.#names.set(key, name);
    }
    return name;
  }
}

const languages = new Map<string, Language>();

/**
 * The language of a locale. One that nobody has written yet is English, times and dates included: half a sentence in
 * each of two languages helps nobody.
 *
 * @throws NS_OPTION_INVALID when it is no locale
 */
export function languageOf(locale = english.tag): Language {
  let language = languages.get(locale);
  if (language === undefined) {
    const say = LANGUAGES[tagOf(locale).language];
    language = say === undefined ? new Language(english, english.tag) : new Language(say, locale);
    if (languages.size < 100) languages.set(locale, language);
  }
  return language;
}

function tagOf(locale: string): Intl.Locale {
  try {
    return new Intl.Locale(locale);
  } catch (cause) {
    const message = `The locale is ${show(locale)}. Give a language tag such as "en-GB" or "de".`;
    throw new NightshiftError("NS_OPTION_INVALID", message, { cause });
  }
}
