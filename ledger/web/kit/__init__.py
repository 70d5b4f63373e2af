"""What every edge of both packages is made with.

A read::

    @blp.reads("/claims/mine", ClaimOut, paged=True)
    @allow("volunteer")
    def mine(query):
        after = read_cursor(query["cursor"], moment, UUID)
        return page_of(claims.mine(session(), me().book_id, me().person_id, after, query["limit"] + 1), query["limit"], key)

A write, carried out once under its Idempotency-Key and committed when it returns, also with a Refusal. Its answer is kept for ever, so no
field of it is `Personal` (docs/adr/0003)::

    @blp.writes("/claims", NewDeedIn, ClaimMadeOut, status=201)
    @allow("volunteer")
    def report(data):
        return claims.report(session(), act(), services().vault, NewDeed(**data))

A page with a form; the POST returns where to go on to, or a Refusal, which draws the form again with what is wrong and what was typed::

    @pages.get("/report")
    @allow("volunteer")
    def report_form():
        return render_template("ledger/volunteer/report.html", rates=...)

    @pages.post("/report")
    @allow("volunteer")
    @form_write(report_form)
    def report():
        claim = claims.report(session(), act(), services().vault, deed_from(request.form))
        return claim if isinstance(claim, Refusal) else url_for("volunteer.claims")

In the template: ``<form method="post">{{ form_fields() }} ... value="{{ typed('place') }}"``.
"""
