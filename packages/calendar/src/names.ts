/** Tells content lines from unfolded text, by the names of properties. */

/** Properties of RFC 5545, 7953, 7986, 9073, 9074, 9253, of RFC 2445 and vCalendar 1.0; BEGIN and END. */
const NAMES = new Set(
  `ACKNOWLEDGED ACTION AALARM ATTACH ATTENDEE BEGIN BUSYTYPE CALENDAR-ADDRESS CALSCALE CATEGORIES CLASS COLOR COMMENT
  COMPLETED CONCEPT CONFERENCE CONTACT CREATED DALARM DAYLIGHT DCREATED DESCRIPTION DTEND DTSTAMP DTSTART DUE DURATION
  END EXDATE EXRULE FREEBUSY GEO IMAGE LAST-MODIFIED LINK LOCATION LOCATION-TYPE MALARM METHOD NAME ORGANIZER PALARM
  PARTICIPANT-TYPE PERCENT-COMPLETE PRIORITY PRODID PROXIMITY RDATE RECURRENCE-ID REFID REFRESH-INTERVAL RELATED-TO
  REPEAT REQUEST-STATUS RESOURCE-TYPE RESOURCES RNUM RRULE SEQUENCE SOURCE STATUS STRUCTURED-DATA STYLED-DESCRIPTION
  SUMMARY TRANSP TRIGGER TZ TZID TZNAME TZOFFSETFROM TZOFFSETTO TZURL UID URL VERSION`.split(/\s+/),
);
/** Properties whose values may continue, if a program wrote their line ends unescaped. */
const TEXTS = /^(?:DESCRIPTION|SUMMARY|LOCATION|COMMENT|CONTACT|STYLED-DESCRIPTION|X-[A-Z0-9-]+)\s*[;:]/i;
const NAMED = /^([A-Z][A-Z0-9_-]*)\s*([;:])/i;
const X_NAME = /^X-/i;

/** Whether a line begins with a property name in the form that programs write. */
export function knownLine(line: string): boolean {
  const [whole = '', name = ''] = NAMED.exec(line) ?? [];
  const capitals = name.toUpperCase();
  if (!NAMES.has(capitals) && !X_NAME.test(name)) return false;
  // a person writes `Location: room 3` into a description
  const isMixed = name !== capitals && name !== name.toLowerCase();
  return !isMixed || line.charAt(whole.length) !== ' ';
}

/** An unknown property, in the form that programs write. */
export const otherLine = (line: string): boolean => /^[A-Z][A-Z0-9-]*(?:;[^:]*)?:\S/.test(line);

/** Whether two lines name their properties in the same case: `color:red` in an HTML page is no property. */
export const isLike = (line: string, other = ''): boolean => isCapital(line) === isCapital(other);

const isCapital = (line: string): boolean => /^[A-Z][A-Z0-9_-]*\s*[;:]/.test(line);

/** Whether the value of a line is a text that may continue in the next line. */
export const isTextLine = (line: string): boolean => TEXTS.test(line);
