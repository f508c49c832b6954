# What speaks against a figure; for the command line and for the app.
check-unknown_code = The form has no code { $code }.
check-conflict = { $code } has { $count } different values: one has to be chosen.
check-words_for_amount = { $code } says “{ $written }”; a number belongs here, not words.
check-not_whole = { $code } says { $typed }, which is not a whole number.
check-negative = { $code } says { $typed }, below 0.
check-not_in_code_list = { $code } says { $typed }, which is not in the code list of the row.
check-percent_out_of_range = { $code } says { $typed } %, outside 0–100 %.
check-percent_repeats_count = { $code } is a percentage but says { $typed }, the very count in { $other }: perhaps the count was written instead of the share.
check-formula_differs = { $expression } = { $computed }, not { $typed } as written (off by { $difference }).
check-sum_differs = { $expression } = { $computed }, not the total { $typed } (off by { $difference }).
check-total_over_empty_parts = { $code } says { $typed } while all its parts are empty.
check-formula_unresolved = { $code } says { $typed } but cannot be recomputed: { $expression }.
check-zero_denominator = { $code } says { $typed } but the denominator is 0: { $expression }.
check-computed_only = { $code } says { $typed } but only the formula counts here; what was written is not used.
check-parts_differ = { $expression } = { $computed }, not the total { $typed } (off by { $difference }).
check-part_exceeds = { $code } says { $typed }, less than its part { $other } ({ $value }).
check-parts_left_empty = { $code } says { $typed } in total, with { $empty } left empty; the parts that are filled come to { $computed }.
check-reported_elsewhere = { $code } says { $typed }, but the same is already reported in { $other } as { $value }.
check-note_contradicts = { $code } says { $typed }, but the note beside it says otherwise: “{ $note }”.
check-changed_much = { $code } says { $typed }, last period it was { $before }: a large change, which needs a reason.
check-quote_differs = “{ $part }” quotes { $code } as { $typed }, and the cell says { $computed } now.
check-outlier = { $code } says { $typed }, far from { $median }, the middle of units of its kind.
check-required_empty = { $code } has to be filled and is empty.
check-left_empty = { $code } is empty without a note: did it not occur, is it 0, or was it not filled?
