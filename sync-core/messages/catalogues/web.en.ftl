# The app, English. `web.vi.ftl` has the same names.
app-name = Đồng Bộ
app-language = Tiếng Việt
app-rehearsal = Rehearsal figures
sign-in-title = Who is using this device?
sign-in-nobody = Nobody is enrolled on this device yet.
sign-in-offline = No network: you can still sign in and work.
sign-in-last = Last synchronised: { $when }.
sign-in-language = Language
sign-in-unsent = { $count ->
    [one] { $count } change to send
   *[other] { $count } changes to send
}
sign-in-all-sent = All sent
sign-in-open = Open
sign-in-busy = Opening…
sign-in-new = Enrol this device
sign-in-code = Enrolment code
sign-in-code-help = A one-time code from the administrator, good for 10 minutes.
sign-in-label = Name of the device
sign-in-label-value = Tablet
sign-in-administration = Administration
sign-in-enrol = Enrol
pin-of = PIN of { $name }
pin-clear = Clear
pin-erase = Erase one digit
pin-next = Continue
pin-choose = Choose a PIN
pin-choose-help = Six digits. The PIN encrypts what you keep on this device; the server does not know it, so nobody can give it back to you.
pin-repeat = Type the PIN again
pin-set = Set the PIN
pin-differs = The two are not the same. Choose again.
pin-wait = Wrong PIN several times: { $seconds } seconds to wait.
pin-forgotten = Forgotten PIN
pin-forgotten-shut = Without the PIN nobody can open what is encrypted on this device, administrators included. Every report that the province received is still at the province.
pin-forgotten-unsent = { $count } unsent changes are signed and need no PIN to be sent: save them as a file and give it to the province's administrator.
pin-forgotten-sent = Nothing on this device waits to be sent.
pin-forgotten-again = To go on working, ask for a new enrolment code and enrol on this device again.
pin-forgotten-back = Back
pin-change = Change PIN
pin-changed = The PIN of { $name } was changed.
remove-open = Remove from this device
remove-done = { $name } was removed from this device.
storage-kept = Storage is kept for good
storage-not-kept = The browser may delete data when space runs out
app-version = app { $version }
sync-recovery-save = Save the recovery file
span-month = month { $month }/{ $year }
span-quarter = quarter { $quarter }/{ $year }
span-half-1 = first half of { $year }
span-half-2 = second half of { $year }
span-nine-months = nine months of { $year }
span-year = year { $year }
span-programme = years { $year }–{ $last }
span-cut = { $span } ({ $from } to { $to })
work-show = Which reports are shown
work-show-all = All ({ $count })
work-show-late = Past due ({ $count })
work-show-due = Due ({ $count })
work-show-conflict = In conflict ({ $count })
work-show-unsent = Not sent ({ $count })
work-title = My work
work-empty = No report is due.
work-due = due { $day }
work-past-due = Past due { $day }
work-put-off = put off: { $reason }
work-filled = { $filled } of { $rows } rows filled
work-conflicts = { $count ->
    [one] 1 cell in conflict
   *[other] { $count } cells in conflict
}
work-findings = { $count ->
    [one] 1 finding
   *[other] { $count } findings
}
work-unsent = not sent
work-leave = Change person
entry-back = Back to my work
entry-sections = Forms
entry-find = Find a row: label, code, abbreviation
entry-found = Rows found
entry-found-none = No such row.
paste-title = Paste { $count } lines of a spreadsheet
paste-column = Column of figures
paste-written = Copied
paste-becomes = Becomes
paste-new = { $value } is written
paste-same = It says so already
paste-replaces = Takes the place of { $value }
paste-empty = Empty: nothing changes
paste-no-row = It is not clear which row this is
paste-not-typed = Nothing is typed in this row
paste-conflict = It has different values: choose one first
paste-twice = Two lines for one cell
paste-left = { $count } lines cannot be pasted; each says why
paste-too-many = More than { $most } lines: copy one part after the other.
paste-do = Paste { $count } cells
paste-cancel = Do not paste
undo-back = Undo
undo-back-cells = Undo { $count } cells
undo-forth = Redo
undo-forth-cells = Redo { $count } cells
words-add = Add
words-change = Change
words-keep = Keep
words-close = Cancel
source-title = Source
note-title = Note
reason-title = Reason
reason-write = Write the reason
reason-said = Reason: “{ $text }” – { $author }
comment-title = Comments
comment-field = Say something about this cell
comment-say = Comment
comment-open = open
comment-resolved = resolved
comment-resolve = Resolved
comment-reopen = Reopen
comment-did-resolved = marked it as resolved
comment-did-reopened = reopened it
mark-comments = { $count ->
    [one] 1 comment
   *[other] { $count } comments
  }
mark-source = has a source
earlier-title = Earlier periods
earlier-nothing = no figure
earlier-not-here = not on this device
carried-mark = from the period before
carried-here = Carried forward from { $period }, confirmed by nobody yet
carried-confirm = Confirm this figure
carry-one = Carry forward from { $period }
carry-open = Carry from { $period }
carry-title = Carry figures forward from { $period }
carry-help = Only cells that are still empty. What is carried is marked until somebody confirms it or types it again.
carry-do = { $count ->
    [one] Carry 1 cell
   *[other] Carry { $count } cells
  }
local-open = Rows of the unit
none-open = Nothing occurred in this form
none-title = Nothing occurred in this form
none-help = Each cell that is still empty says “did not occur”, which is neither zero nor empty. Cells with figures stay as they are.
none-do = { $count ->
    [one] Fill 1 cell
   *[other] Fill { $count } cells
  }
fill-where = Where
fill-all = The whole report
fill-choose = Choose
fill-others = { $count ->
    [one] 1 cell that somebody filled stays as it is
   *[other] { $count } cells that somebody filled stay as they are
  }
fill-cancel = Cancel
entry-none = did not occur
entry-compact = Compact rows
entry-without-reason = { $count ->
    [one] 1 warning without a reason
   *[other] { $count } warnings without a reason
  }
error-tablet-nothing-earlier = The period before has no single figure to carry forward.
error-tablet-years-left-out = Reports of older years are not on this device. Fetch them on the sync page.
undo-kept = { $count ->
    [one] 1 cell stays as it is: somebody else has typed there since
   *[other] { $count } cells stay as they are: somebody else has typed there since
  }
entry-column-stt = No.
entry-column-label = Indicator
entry-column-unit = Unit
entry-column-value = For { $period }
entry-empty-count = { $count ->
    [one] 1 empty cell
   *[other] { $count } empty cells
}
entry-no-occurrence = Did not occur
entry-clear = Clear
entry-typed-empty = empty
entry-or = or
entry-formula-none = cannot be computed
entry-history = History of the cell
entry-history-none = Nobody has typed here.
entry-formula = Formula
entry-choose = Choose { $value }
entry-conflict = Two different values: choose one, or type a third into the cell.
entry-keep-both = Keep both, decide later
entry-question = Which number do you mean?
entry-cell = Cell { $code }
entry-column-remark = Remarks
entry-full = complete
narrative-tab = Narrative
narrative-left =
    { $count ->
        [0] full
        [one] 1 part empty
       *[other] { $count } parts empty
    }
entry-count-conflict = { $count ->
    [one] 1 conflict
   *[other] { $count } conflicts
}
entry-count-error = { $count ->
    [one] 1 error
   *[other] { $count } errors
}
entry-count-warning = { $count ->
    [one] 1 warning
   *[other] { $count } warnings
}
entry-count-empty = { $count } empty
entry-remark-rivals = { $count } values
entry-remark-notes = { $count ->
    [one] 1 note
   *[other] { $count } notes
}
severity-note = Note
severity-warning = Warning
severity-error = Error
budget-spent = Today's limit is used up. Everything that was typed is safe on the device and goes by itself tomorrow.

work-older = { $count ->
    [one] { $count } report of the years before { $since } is not on this device. The sync page fetches it.
   *[other] { $count } reports of the years before { $since } are not on this device. The sync page fetches them.
}
work-not-here = not on this device
update-offer = New version: use it now
state-empty = Empty
state-saving = Being saved
state-saved = Saved on the device
state-waiting = Waiting to be sent
state-area = Received by the area
state-province = Received by the province
state-held = Held for review
state-conflict = In conflict
state-warning = Warning
state-error = Error
state-refused = Not saved, type it again
badge-unknown = Not known yet
badge-waiting = { $changes ->
    [one] 1 change to send ({ $kilobytes } KB)
   *[other] { $changes } changes to send ({ $kilobytes } KB)
}
badge-offline = { $changes ->
    [one] Offline – 1 change to send ({ $kilobytes } KB)
   *[other] Offline – { $changes } changes to send ({ $kilobytes } KB)
}
badge-offline-nothing = Offline – nothing to send
badge-busy = Sending and receiving…
busy-sending = Sending – { $kilobytes } KB left
busy-receiving = Receiving – { $kilobytes } KB left
badge-synchronised = Synchronised { $clock }
badge-synchronised-edge = Synchronised with { $node } { $clock }
badge-spent = { $changes ->
    [one] Today's limit is used up – { $changes } change waits ({ $kilobytes } KB)
   *[other] Today's limit is used up – { $changes } changes wait ({ $kilobytes } KB)
}
badge-spent-nothing = Today's limit is used up – nothing to send
badge-refused = Refused by the server: { $reason }
badge-held = { $count ->
    [one] 1 sending is held for review
   *[other] { $count } sendings are held for review
}
badge-left-out = { $count ->
    [one] 1 batch cannot be read
   *[other] { $count } batches cannot be read
}
line-saved = Saved on the device { $clock }
line-nothing = Nothing new to save
line-not-persisted = The browser may clear the data when space runs out: install the app
fault-ambiguous-number = This number can be read in more than one way.
fault-not-whole = This cell takes whole numbers.
fault-not-a-number = This is not a number.
fault-not-a-percentage = This row is not a percentage.
fault-not-in-code-list = The value is not in the code list.
fault-computed-only = This row is computed, not typed.
fault-not-a-value = Words belong in this row, not a number.
error-offline = The server cannot be reached. Everything typed is safe on the device.
error-link-elsewhere = Something else answered in place of the server: this network may want a sign-in in the browser. Everything typed is safe on the device.
error-link-stalled = The line is open, but nothing came for 30 seconds. It is tried again by itself; everything typed is safe on the device.
error-link-rewritten = The answer was changed on the way and was not used. It is tried again by itself; if it stays so, use another network or send by file.
error-bundle-not-one = This file is none of Đồng Bộ's.
error-bundle-version = A later version of the app wrote this file: update the app.
error-bundle-head-cut = The file ends inside its head and says nothing: copy it again.
error-bundle-head-damaged = The head of the file is damaged. Nothing was taken; copy it again.
error-bundle-signature-wrong = The signature of the file is wrong: it was changed on the way. Nothing was taken; copy it again.
error-bundle-piece-damaged = A piece of the file was changed on the way. Nothing was taken; copy it again.
error-bundle-left-over = There is more in the file behind its end. Nothing was taken; copy it again.
error-bundle-misdescribed = The file is not what its head says. Nothing was taken; tell the administrator.
error-bundle-too-large = The file is larger than allowed.
error-bundle-nothing = There is nothing to write: a server has confirmed every part.
error-bundle-other-province = The file is of another province. Nothing was taken.
error-bundle-not-for-here = The file is for somebody else. Nothing was taken.
error-bundle-issuer-unknown = This device does not know the key that signed the file: synchronise when there is a network, then read it again.
error-device-full = The device is full: what was just typed is not saved. Free some space and type it again.
error-code-unknown = The enrolment code is wrong or has expired. Ask for a new one.
error-pin-wrong = The PIN is wrong.
error-pin-wait = Wrong PIN several times. Wait, then try again.
error-pin-digits = A PIN has exactly six digits.
error-pin-easy = This PIN is too easy to guess. Choose another one.
error-remove-open = This person has the device open in another tab. Change person there, then remove.
error-remove-unsent = More unsent changes have come meanwhile. Look again, then remove.
error-pin-set = This device has a PIN already. Load the page again.
error-vault-damaged = What this device keeps cannot be read any more. Delete nothing; tell the administrator.
error-vault-memory = Not enough memory. Close other apps and try again.
error-tab-older = Another tab runs a newer version. Load this page again.
error-tablet-panic = The app met a fault and started again. What was said to be saved is there; type the last cell once more.
error-poison-catalogue = This version of the app cannot read the province's catalogue. You can go on typing; update the app, then synchronise.
error-other = Something failed ({ $code }). What was saved is safe.
moment = { $clock } on { $day }
figure-range = { $low } to { $high }
figure-to = to { $high }
figure-texts = { $count } texts
unresolved-missing_input = a figure is missing
unresolved-division_by_zero = division by zero
unresolved-unbounded = open conflict
unresolved-too_many_digits = too many digits
certain-conflict = Provisional: { $count } in conflict
certain-missing = Provisional: { $reported }/{ $due } communes
certain-nothing = No commune has a figure
certain-whole = All { $due } communes, not signed
certain-one = Received, not signed
stated-recomputed_differs = Differs from print: { $stated } printed, { $found } recomputed
stated-sum_differs = Differs from print: { $stated } printed, { $found } added up
stated-outside_spread = Differs from print: { $stated } printed, communes have only { $found }
stated-unresolved = { $stated } printed, cannot be recomputed yet
stated-nothing_reported = { $stated } printed, no commune has a figure
stated-unknown_code = { $stated } printed, the form has no such row
mark-full = At the province, every row
mark-part = Some rows so far
mark-none = Nothing yet
mark-conflict = In conflict
unit-missing = Not reported
unit-late = Late
desk-places = Places of work
desk-province = Whole province
desk-report = Report
desk-nothing-owed = No report is due
desk-form = Form
desk-who = Who has sent what
desk-who-help = each mark is one commune: tall = every row, low = some, hollow = nothing yet
desk-unit = Area, commune
desk-complete = Complete
desk-legend = Legend
desk-figures = Figures by form
desk-figures-help = press a figure to see what it is made of
desk-open-count = { $count } in conflict
desk-open-figure = Open { $label }
desk-figure = Figure
desk-counted = Counted
desk-headlines = Main figures
desk-received = Reports received
desk-received-more = { $missing } not sent, { $late } late, { $conflicts } in conflict
desk-live = Live { $clock }
desk-as-of = Figures as of { $clock }, offline
desk-as-of-day = Figures as of { $clock } on { $day }, offline
desk-not-known = Not known: this device has not read these figures while there was a network
desk-unknown = not known
desk-crumbs = The way down
desk-close = Close
desk-no-report = This unit has not sent a report.
desk-nobody-typed = Nobody has typed here.
desk-conflict-open = In conflict: the unit has not chosen a value.
desk-version = Version { $heads }, form version { $template }, last received { $received }
desk-list-missing = Not reported
desk-list-late = Late
desk-list-in_conflict = In conflict
desk-list-none = None
desk-findings = Differs from print
desk-findings-all = Show all { $count }
desk-findings-less = Show fewer
desk-provisional = provisional
desk-position = Log position { $position }
desk-ahead = Every figure opens without a link, as of { $clock }
desk-wall = Wall screen: stay open
desk-watched = Read only
desk-unlock = Enter the PIN to work
cell-author = Typed by
cell-device = Device
cell-claimed = Typed at
cell-received = Received at
cell-change = Change
error-rights-missing = You may not see the figures of this unit.
conflict-back = Back to the form
conflict-title = Conflict { $at } of { $of }
conflict-count = { $count } different values
conflict-values = The values
conflict-value = Value { $letter }
conflict-third = Another value
conflict-third-short = another
conflict-third-help = Type a third value
conflict-third-read = Read as { $value }
conflict-you = (you)
conflict-not-sent = not sent
conflict-road = Road
conflict-road-sent = { $device } → the province
conflict-road-here = still on { $device }
conflict-before = Before
conflict-times = changed { $count } times
conflict-note = Note
conflict-no-note = none
conflict-effect = What it changes
conflict-if = If { $letter }
conflict-differs = Difference
conflict-reason = Reason for the choice
conflict-reason-help = (required, kept with the cell)
conflict-reason-first = Write down the reason for the choice.
conflict-choose-first = Choose a value.
conflict-kept = The value not chosen stays in the history of the cell; who typed it sees that at the next exchange and can open it again.
conflict-open = Until one is chosen, the totals above are provisional and the report cannot be signed.
conflict-confirm = Choose { $letter }: { $value }
conflict-confirm-none = Choose a value
conflict-compare = Compare the values
