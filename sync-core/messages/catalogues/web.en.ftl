# The app, English. `web.vi.ftl` has the same names.
app-name = Đồng Bộ
app-language = Tiếng Việt
app-rehearsal = Rehearsal figures
sign-in-title = Who is working?
sign-in-nobody = Nobody is enrolled on this device yet.
sign-in-works-offline = Opens and takes figures without a network.
sign-in-new = Enrol this device
sign-in-code = Enrolment code
sign-in-code-help = A one-time code from the administrator, good for 10 minutes.
sign-in-label = Name of the device
sign-in-label-value = Tablet
sign-in-administration = Administration
sign-in-enrol = Enrol
work-title = My work
work-empty = No report is due.
work-due = due { $day }
work-past-due = Past due { $day }
work-filled = { $filled } of { $rows } rows filled
work-conflicts = { $count } cells in conflict
work-findings = { $count } findings
work-unsent = not sent
work-leave = Change person
entry-back = Back to my work
entry-sections = Forms
entry-column-stt = No.
entry-column-label = Indicator
entry-column-unit = Unit
entry-column-value = Period { $period }
entry-empty-count = { $count } empty cells
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
state-empty = Empty
state-saved = Saved on the device
state-waiting = Waiting to be sent
state-province = Received by the province
state-held = Held for review
state-conflict = In conflict
state-warning = Warning
state-error = Error
badge-unknown = Not known yet
badge-waiting = { $changes } changes to send ({ $kilobytes } KB)
badge-offline = Offline – { $changes } changes to send ({ $kilobytes } KB)
badge-offline-nothing = Offline – nothing to send
badge-busy = Sending and receiving…
badge-synchronised = Synchronised { $clock }
badge-refused = Refused by the server: { $reason }
badge-held = { $count } sendings are held for review
line-saved = Saved on the device { $clock }
line-nothing = Nothing new to save
line-not-persisted = The browser may clear the data when space runs out: install the app
finding-unknown_code = The form has no such row.
finding-conflict = { $count } different values.
finding-words_for_amount = A number belongs here, not words.
finding-not_whole = { $typed } is not a whole number.
finding-negative = { $typed } is below 0.
finding-not_in_code_list = { $typed } is not in the code list.
finding-percent_out_of_range = { $typed } % is outside 0–100 %.
finding-percent_repeats_count = { $typed } is also the figure of row { $count }: perhaps the count, not the share.
finding-formula_differs = Typed { $typed }, recomputed { $computed }.
finding-total_over_empty_parts = Typed { $typed } while all its parts are empty.
finding-formula_unresolved = Typed { $typed }; it cannot be recomputed yet.
finding-computed_only = This row is computed, not typed.
fault-ambiguous-number = This number can be read in more than one way.
fault-not-a-number = This is not a number.
fault-not-a-percentage = This row is not a percentage.
fault-not-in-code-list = The value is not in the code list.
fault-computed-only = This row is computed, not typed.
fault-not-a-value = Words belong in this row, not a number.
error-offline = The server cannot be reached. Everything typed is safe on the device.
error-device-full = The device is full: what was just typed is not saved. Free some space and type it again.
error-code-unknown = The enrolment code is wrong or has expired. Ask for a new one.
error-other = Something failed ({ $code }). What was saved is safe.
