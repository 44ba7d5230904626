/** Calendars whose texts are HTML, have odd blanks, or are not folded. */
import { calendar, described, LINES, TITLE, utf8, type OddInput } from './calendar-odd-support.ts';

const markup: readonly OddInput[] = [
  {
    name: 'HTML, a newline is a blank',
    bytes: described(
      '<html><body><p>Project:\n3010000.01</p>\n<p>Subject:\nsub-001</p>\n<p>Session: ses-mri01</p></body></html>',
    ),
  },
  {
    name: 'HTML, a newline within a paragraph of keys',
    bytes: described('<p>Project:\n3010000.01 Subject:\nsub-001 Session:\nses-mri01</p>'),
  },
  {
    name: 'HTML, a newline before the colon',
    bytes: described('<p>Project\n: 3010000.01<br>Subject\n: sub-001<br>Session : ses-mri01</p>'),
  },
  {
    name: 'HTML with lines that are meant',
    bytes: described(
      '<b>Scan</b><br>Project: 3010000.01\nSubject: sub-001\nSession: ses-mri01\nPlease be early',
    ),
  },
  {
    name: 'escaped HTML',
    bytes: described(
      '&lt;p&gt;Project: 3010000.01&lt;/p&gt;&lt;p&gt;Subject: sub-001&lt;/p&gt;&lt;p&gt;Session:&amp;nbsp;ses-mri01&lt;/p&gt;',
    ),
  },
  {
    name: 'HTML escaped twice',
    bytes: described(
      '&amp;lt;p&amp;gt;Project: 3010000.01&amp;lt;br/&amp;gt;Subject: sub-001&amp;lt;br/&amp;gt;Session: ses-mri01&amp;lt;/p&amp;gt;',
    ),
  },
  {
    name: 'escaped line breaks',
    bytes: described('Project: 3010000.01&lt;br&gt;Subject: sub-001&lt;BR /&gt;Session: ses-mri01'),
  },
  {
    name: 'line breaks of every kind',
    bytes: described('Project: 3010000.01<br>Subject: sub-001<BR clear="all"/>Session: ses-mri01<br />'),
  },
  {
    name: 'X-ALT-DESC only',
    bytes: described(
      '<p>Project: 3010000.01</p><p>Subject: sub-001</p><p>Session: ses-mri01</p>',
      'X-ALT-DESC;FMTTYPE=text/html',
    ),
  },
  {
    name: 'X-ALT-DESC beside an empty description',
    bytes: utf8(
      calendar(
        'SUMMARY:MRI',
        'DESCRIPTION:\\n',
        `X-ALT-DESC;FMTTYPE=text/html:<p>${LINES.replaceAll('\\n', '</p><p>')}</p>`,
      ),
    ),
  },
  {
    name: 'STYLED-DESCRIPTION only',
    bytes: described(
      '<div>Project: 3010000.01</div><div>Subject: sub-001</div><div>Session: ses-mri01</div>',
      'STYLED-DESCRIPTION;FMTTYPE=text/html',
    ),
  },
  {
    name: "Outlook's HTML",
    bytes: described(
      '<html xmlns:o="urn:schemas-microsoft-com:office:office"><head><meta name="Generator"><title>x</title><style><!-- p.MsoNormal {margin:0cm; color:red} --></style><!--[if gte mso 9]><xml>Subject: none</xml><![endif]--></head><body lang=NL><div class=WordSection1><p class=MsoNormal>Project: 3010000.01<o:p></o:p></p><p class=MsoNormal>Subject: sub-001<o:p></o:p></p><p class=MsoNormal>Session: ses-mri01<o:p>&nbsp;</o:p></p></div></body></html>',
      'X-ALT-DESC;FMTTYPE=text/html',
    ),
  },
  {
    name: 'a table',
    bytes: described(
      '<table><tbody><tr><td>Project</td><td>3010000.01</td></tr>\n<tr>\n<td>\nSubject\n</td>\n<td>\nsub-001\n</td>\n</tr><tr><th>Session:</th><td><p>ses-mri01</p></td></tr></tbody></table>',
    ),
  },
  {
    name: 'a list of definitions',
    bytes: described(
      '<dl><dt>Project</dt><dd>3010000.01</dd><dt>Subject</dt><dd>sub-001</dd><dt>Session</dt><dd>ses-mri01</dd></dl>',
    ),
  },
  {
    name: 'cells that hold lines',
    bytes: described(
      '<table><tr><td>Project: 3010000.01</td><td>Subject: sub-001</td><td>Session: ses-mri01</td></tr></table>',
    ),
  },
  {
    name: 'entities by number',
    bytes: described(
      'Project&#58; 3010000&#46;01<br>Subject&#x3A;&#160;sub&#x2d;001<br>Session: ses&#150;mri01',
    ),
  },
  {
    name: 'entities by name',
    bytes: described(
      '<p>Project&colon;&nbsp;3010000&period;01</p><p>Subject:&ensp;sub&ndash;001</p><p>Session:&nbsp ses&shy;&minus;mri01</p>',
    ),
  },
  { name: 'entities in a title', bytes: utf8(calendar('SUMMARY:3010000.01&nbsp;sub-001&#32;ses-mri01')) },
  { name: 'tags in a title', bytes: utf8(calendar('SUMMARY:<b>3010000.01</b> <i>sub-001</i> ses-mri01')) },
  {
    name: 'a comment in HTML',
    bytes: described(
      '<p>Project: 3010000.01</p><!-- Subject: sub-999 --><p>Subject: sub-001</p><p>Session: ses-mri01</p>',
    ),
  },
];

const blanks: readonly OddInput[] = [
  { name: 'two blanks and NBSP', bytes: utf8(calendar('SUMMARY:3010000.01\u00a0 sub-001  ses-mri01')) },
  { name: 'tabs', bytes: utf8(calendar('SUMMARY:3010000.01\tsub-001\t\tses-mri01')) },
  {
    name: 'zero-width characters',
    bytes: utf8(calendar('SUMMARY:\u200b3010000.01 sub\u2060-001\ufe0f ses-\u200dmri01\u200e')),
  },
  { name: 'soft hyphens', bytes: utf8(calendar('SUMMARY:3010\u00ad000.01 sub-001 ses-mri\u00ad01')) },
  {
    name: 'line breaks of a word processor',
    bytes: utf8(calendar('SUMMARY:MRI', `DESCRIPTION:${LINES.replaceAll('\\n', '\v')}`)),
  },
  {
    name: 'separators of lines and paragraphs',
    bytes: utf8(
      calendar('SUMMARY:MRI', `DESCRIPTION:${LINES.replace('\\n', '\u2028').replace('\\n', '\u2029')}`),
    ),
  },
  { name: 'an ideographic blank', bytes: utf8(calendar('SUMMARY:3010000.01\u3000sub-001\u3000ses-mri01')) },
];

const unfolded: readonly OddInput[] = [
  {
    name: 'line ends that are escaped twice',
    bytes: utf8(calendar('SUMMARY:MRI', `DESCRIPTION:${LINES.replaceAll('\\n', '\\\\n')}`)),
  },
  {
    name: 'a path that looks like an escaped line end',
    bytes: utf8(calendar(TITLE, 'DESCRIPTION:see C:\\\\new')),
    reads: 'C:\\new',
  },
  {
    name: 'line ends as entities',
    bytes: utf8(calendar('SUMMARY:MRI', `DESCRIPTION:${LINES.replaceAll('\\n', '&#13;&#10;')}`)),
  },
  {
    name: 'a description that is not folded',
    bytes: utf8(
      calendar(
        'SUMMARY:MRI',
        'DESCRIPTION:Booking\r\nProject: 3010000.01\r\n\r\nSubject: sub-001\r\nSession: ses-mri01',
      ),
    ),
  },
  {
    name: 'LF inside a value, CR LF elsewhere',
    bytes: utf8(calendar('SUMMARY:MRI', `DESCRIPTION:${LINES.replaceAll('\\n', '\n')}`)),
  },
  {
    name: 'CR inside a value, CR LF elsewhere',
    bytes: utf8(calendar('SUMMARY:MRI', `DESCRIPTION:${LINES.replaceAll('\\n', '\r')}`)),
  },
  {
    name: 'a text that looks like properties',
    bytes: utf8(
      calendar(
        'SUMMARY:MRI',
        'DESCRIPTION:Hello\nProject: 3010000.01\nLocation: room 3\nStatus: ok\nSubject: sub-001\nSession: ses-mri01',
        'LOCATION:MR1',
      ),
    ),
    reads: 'Location: room 3',
  },
  { name: 'a title that is not folded', bytes: utf8(calendar('SUMMARY:3010000.01 sub-001\r\nses-mri01')) },
  {
    name: 'an X-ALT-DESC that is not folded',
    bytes: utf8(
      calendar(
        'SUMMARY:MRI',
        'X-ALT-DESC;FMTTYPE=text/html:<p>\n<a href="http://example.org">x</a>\ncolor:red;\nProject: 3010000.01<br>\nSubject: sub-001<br>\nSession: ses-mri01</p>',
      ),
    ),
  },
  {
    name: 'a property that nobody knows behind a text',
    bytes: utf8(calendar('SUMMARY:MRI', `DESCRIPTION:${LINES}`, 'SUBJECT:sub-999', 'NOBODY;X=1:y')),
  },
  {
    name: 'lines that end in CR in one event, in CR LF elsewhere',
    bytes: utf8(
      calendar(TITLE).replace(/BEGIN:VEVENT[^]*END:VEVENT/, (event) => event.replaceAll('\r\n', '\r')),
    ),
  },
  {
    name: 'an alarm with a text that is not folded',
    bytes: utf8(
      calendar(TITLE, 'BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:one\r\ntwo: three\r\nEND:VALARM'),
    ),
  },
];

export const ODD_TEXTS: readonly OddInput[] = [...markup, ...blanks, ...unfolded];
