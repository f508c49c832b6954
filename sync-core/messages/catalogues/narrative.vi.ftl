# Phần lời của báo cáo: đề cương, chữ nhiều người cùng viết, số liệu dẫn trong lời.
narrative-help = Nhiều người cùng viết được; chữ của ai cũng còn. Số liệu kèm mã trong ngoặc vuông, như 1.893 [III.3.1.1], được đối chiếu với ô của nó.
narrative-level = Mục
narrative-text = Nội dung: { $title }
narrative-none = Chưa viết gì.
narrative-quotes = Số liệu dẫn
narrative-quotes-same =
    { $count ->
       *[other] { $count } số liệu dẫn đều khớp với biểu.
    }
narrative-renew = Cập nhật số theo biểu
narrative-insert = Chèn số liệu
narrative-insert-help = Tìm chỉ tiêu; số của ô và mã được chèn vào chỗ con trỏ.
narrative-comments =
    { $count ->
        [0] Trao đổi
       *[other] Trao đổi ({ $count })
    }
narrative-saving = Đang lưu
narrative-saved = Đã lưu trên máy này
narrative-without-place = Lời không còn mục trong đề cương
narrative-without-place-help = Phiên bản mẫu này không còn mục đó. Lời vẫn được giữ nguyên; hãy chép phần còn cần sang mục khác.
narrative-problem = Chưa lưu được. { $reason } Chữ vẫn còn trong ô, xin đừng đóng trang.
narrative-again = Thử lưu lại
quote-differs = viết { $figure }, ô { $code } nay là { $now }
quote-unwritten = chưa có số; ô { $code } nay là { $now }
quote-unclear = “{ $figure }” không rõ là số nào; ô { $code } nay là { $now }
quote-nothing = viết { $figure }, ô { $code } chưa có số
quote-contested = ô { $code } đang có nhiều giá trị khác nhau
quote-no-amount = ô { $code } không phải là ô số
quote-no-row = biểu không có chỉ tiêu { $code }
error-tablet-words-too-many = Mục này dài quá 30.000 ký tự; hãy chia bớt sang mục khác.
