# Điều gì nói ngược với một số liệu; cho dòng lệnh và cho ứng dụng.
check-unknown_code = Biểu mẫu không có mã { $code }.
check-conflict = { $code } có { $count } giá trị khác nhau: cần chọn một.
check-words_for_amount = { $code } ghi “{ $written }”, ô này cần một số, không phải chữ.
check-not_whole = { $code } ghi { $typed }, không phải số nguyên.
check-negative = { $code } ghi { $typed }, nhỏ hơn 0.
check-not_in_code_list = { $code } ghi { $typed }, không có trong danh mục của chỉ tiêu.
check-percent_out_of_range = { $code } ghi { $typed } %, nằm ngoài 0–100 %.
check-percent_repeats_count = { $code } là tỷ lệ nhưng ghi { $typed }, đúng bằng số lượng ở { $other }: có thể đã ghi số lượng thay cho tỷ lệ.
check-formula_differs = { $expression } = { $computed }, khác số đã ghi { $typed } (lệch { $difference }).
check-sum_differs = { $expression } = { $computed }, khác tổng { $typed } (lệch { $difference }).
check-total_over_empty_parts = { $code } ghi { $typed } nhưng mọi phần của nó đều để trống.
check-formula_unresolved = { $code } ghi { $typed } nhưng không tính lại được: { $expression }.
check-zero_denominator = { $code } ghi { $typed } nhưng mẫu số bằng 0: { $expression }.
check-computed_only = { $code } ghi { $typed } nhưng ô này chỉ do công thức tính; số đã ghi không được dùng.
check-parts_differ = { $expression } = { $computed }, khác tổng { $typed } (lệch { $difference }).
check-part_exceeds = { $code } ghi { $typed }, nhỏ hơn phần { $other } của nó ({ $value }).
check-parts_left_empty = { $code } ghi tổng { $typed }, còn để trống { $empty }; các phần đã điền cộng lại là { $computed }.
check-reported_elsewhere = { $code } ghi { $typed }, nhưng cùng chỉ tiêu này đã báo cáo ở { $other } là { $value }.
check-note_contradicts = { $code } ghi { $typed }, nhưng ghi chú nói khác: “{ $note }”.
check-changed_much = { $code } ghi { $typed }, kỳ trước là { $before }: thay đổi lớn, cần giải thích.
check-quote_differs = Phần “{ $part }” viết { $typed } cho { $code }, nay ô này là { $computed }.
check-outlier = { $code } ghi { $typed }, xa mức giữa { $median } của các đơn vị cùng loại.
check-required_empty = { $code } bắt buộc phải điền nhưng để trống.
check-left_empty = { $code } để trống, không có ghi chú: không phát sinh, bằng 0 hay chưa điền?
