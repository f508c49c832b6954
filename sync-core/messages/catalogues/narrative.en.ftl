# The words of a report: its outline, texts that several people write, figures quoted in them.
narrative-help = Several people can write; nobody’s words are lost. A figure with its code in brackets, such as 1.893 [III.3.1.1], is held against its cell.
narrative-level = Part
narrative-text = Text: { $title }
narrative-none = Nothing written yet.
narrative-quotes = Quoted figures
narrative-quotes-same =
    { $count ->
        [one] The quoted figure agrees with its cell.
       *[other] All { $count } quoted figures agree with their cells.
    }
narrative-renew = Take the figures of the form
narrative-insert = Insert a figure
narrative-insert-help = Find the indicator; the figure of its cell and its code are inserted where the caret stands.
narrative-comments =
    { $count ->
        [0] Comments
       *[other] Comments ({ $count })
    }
narrative-saving = Saving
narrative-saved = Saved on this device
narrative-without-place = Words whose part the outline has no longer
narrative-without-place-help = This version of the form does not have that part any more. The words are kept as they are; copy what is still needed to another part.
narrative-problem = Not saved yet. { $reason } The words are still in the field; please do not close the page.
narrative-again = Save again
quote-differs = says { $figure }, the cell { $code } says { $now } now
quote-unwritten = no figure yet; the cell { $code } says { $now }
quote-unclear = “{ $figure }” is no clear figure; the cell { $code } says { $now }
quote-nothing = says { $figure }, the cell { $code } is empty
quote-contested = different values stand in the cell { $code }
quote-no-amount = the cell { $code } holds no amount
quote-no-row = the form has no indicator { $code }
error-tablet-words-too-many = This part is longer than 30,000 characters; please move some of it to another part.
